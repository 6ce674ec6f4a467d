//! `steward dead-letters`: what was given up after bounded tries, and another try.

use serde_json::json;

use crate::remote::Caller;

/// Lists the dead letters of a service.
pub async fn list(caller: &Caller, service: &str) -> anyhow::Result<()> {
    let said = caller.get(&format!("services/{service}/dead-letters")).await?.json();
    let items = said["items"].as_array().map_or(&[][..], Vec::as_slice);
    for item in items {
        let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
        println!("{} {} {}: {}", text("at"), text("consumer"), text("message"), text("reason"));
    }
    println!("{} dead letters", items.len());
    Ok(())
}

/// Tries one again, and what waits behind it.
pub async fn again(
    caller: &Caller,
    service: &str,
    consumer: &str,
    message: &str,
) -> anyhow::Result<()> {
    let body = json!({ "consumer": consumer, "message": message });
    caller.post(&format!("services/{service}/dead-letters/redrive"), &body).await?;
    println!("{message} is tried again");
    Ok(())
}
