//! What a release needs before it may go: a way back with its time and owner, and an emergency that is one
//! (catalogue section 2.31).

use acceptance::{Options, Platform};
use serde_json::json;

use crate::hands::{Hand, ecab_authorises, number};

/// Proves: REL-7, REL-8
#[tokio::test]
async fn a_release_has_a_way_back_and_an_emergency_that_says_it_is_one() {
    let platform = Platform::up(Options::manual_clock()).await;
    let releases = Hand::of(&platform, "Rita", &["release_manager"]).await;
    let omar = Hand::of(&platform, "Omar", &["change_manager", "ecab_member"]).await;
    let dave = Hand::of(&platform, "Dave", &[]).await;
    let tess = Hand::of(&platform, "Tess", &[]).await;
    let change = |kind: &str| json!({ "title": "Close the hole", "service": "SVC-PAY", "type": kind, "threat": "It is used.", "requester": dave.number });
    let normal = omar.open("changes", change("normal")).await;
    let emergency = omar.open("changes", change("emergency")).await;

    // What answers no emergency change is no emergency release; the change itself says what it is.
    let release = json!({
        "title": "Patch 3.1", "service": "SVC-PAY", "kind": "emergency", "emergency_change": number(&normal), "method": "big_bang",
        "contains": [number(&emergency)], "items": [{ "item": "CI0000001", "version": "3.1" }], "deployer": dave.number,
    });
    let release = releases.open("releases", release).await;
    platform.pass("PT0S").await;
    let way_back = json!({ "backout": "Lay 3.0 back.", "backout_owner": dave.number, "decide_by": "2026-06-20T20:45:00Z" });
    releases.refused(&release, "build", way_back.clone(), 409).await;
    let named = json!({ "emergency_change": number(&emergency) });
    releases.take(&release, "name_emergency", named).await;
    platform.pass("PT0S").await;
    assert_eq!(releases.field(&release, "emergency_for").await, number(&emergency));
    assert_eq!(omar.field(&emergency, "release").await, number(&release));
    assert!(
        omar.ties(&emergency).await.contains(&("part_of".to_owned(), number(&release).to_owned()))
    );

    // The way back has an owner and a time by which it is decided, and was tried, or it is said why not.
    for part in ["backout", "backout_owner", "decide_by"] {
        let mut without = way_back.clone();
        without.as_object_mut().expect("parts").remove(part);
        releases.refused(&release, "build", without, 422).await;
    }
    releases.take(&release, "build", way_back).await;
    let built = json!({ "build_hash": "sha256:0301", "tester": tess.number });
    releases.take(&release, "test", built).await;
    let met = json!({ "acceptance": [{ "criterion": "The hole is closed", "is_met": true }] });
    tess.refused(&release, "accept", met.clone(), 422).await;
    let met =
        json!({ "acceptance": met["acceptance"], "rehearsal": "3.0 was back after six minutes." });
    tess.take(&release, "accept", met).await;

    // What is scheduled while it is ready, or authorised, may still be made with it.
    let window = json!({ "from": "2026-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z" });
    let planned = json!({ "plan": "Deploy it.", "backout": "Lay 3.0 back.", "window": window, "implementer": dave.number, "release": number(&release) });
    let _ = omar.door.patch(&emergency, &planned).await.good();
    omar.take(&emergency, "call_ecab", json!({})).await;
    // Who asked for it has no voice in it.
    assert_eq!(omar.try_vote(&emergency, "authorise_emergency").await.status, 409);
    ecab_authorises(&platform, &emergency).await;
    omar.take(&emergency, "schedule", json!({})).await;
    platform.pass("PT0S").await;
    assert_eq!(releases.field(&release, "approved").await[0]["change"], number(&emergency));
    omar.take(&emergency, "unschedule", json!({ "reason": "An hour later." })).await;
    platform.pass("PT0S").await;
    assert_eq!(releases.field(&release, "approved").await, json!([]));
    releases.vote(&release, "authorise").await;
    omar.take(&emergency, "schedule", json!({})).await;
    platform.pass("PT0S").await;
    assert_eq!(releases.field(&release, "approved").await[0]["change"], number(&emergency));
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}
