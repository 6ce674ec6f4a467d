//! `steward up`: everything on this machine, told to a person.

use std::io::{IsTerminal as _, Write as _};

use bus::server::Search;
use chassis::{life, telemetry};
use gateway::access;

use crate::{Settings, Steward, boot, cli::Arguments, console, demo, services};

pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let quiet =
        std::env::var_os("STEWARD__TELEMETRY__LEVEL").is_none() && arguments.config.is_none();
    let level: &[_] = if quiet { &[("telemetry.level", "warn".to_owned())] } else { &[] };
    let config = services::config(arguments, level)?;
    let telemetry = telemetry::start(&config.telemetry, "steward")?;
    let console = console::console(arguments.console.as_deref());
    let settings = || Settings {
        config: config.clone(),
        port: arguments.port,
        clock: arguments.clock.clock(),
        admin_token: std::env::var(access::TOKEN_VARIABLE).ok(),
        search: Search::from_env(),
        console: console.clone(),
    };
    let mut say = tell;
    if arguments.demo {
        let ends = arguments.clock.clock().now();
        tokio::select! {
            made = demo::make(settings(), ends, &mut say) => made?,
            () = life::asked_to_end() => {
                tell("Stopped; the same command goes on with the history.".to_owned());
                return Ok(());
            }
        }
    }
    let steward = tokio::select! {
        steward = boot(settings(), &mut say) => steward?,
        () = life::asked_to_end() => return Ok(()),
    };
    welcome(arguments, &steward);
    // It lies where it was told to be, or is built here; nobody waits for it.
    let builds = arguments.console.is_none();
    tokio::select! {
        () = console::build(console, tell), if builds => life::asked_to_end().await,
        () = life::asked_to_end() => {}
    }
    tell("Stopping.".to_owned());
    tokio::select! {
        () = steward.stop() => {}
        () = life::asked_to_end() => tell("Stopped at once; what was acknowledged is kept.".to_owned()),
    }
    telemetry.stop().await;
    Ok(())
}

fn tell(sentence: String) {
    say(&format!("  {sentence}"));
}

fn say(words: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody reads it when this fails, and what runs goes on.
    let _ = writeln!(out, "{words}").and_then(|()| out.flush());
}

fn welcome(arguments: &Arguments, steward: &Steward) {
    let (url, folder) = (&steward.url, arguments.data_dir.display());
    let (bold, plain) =
        if std::io::stdout().is_terminal() { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    let (where_token, token) = if std::env::var_os(access::TOKEN_VARIABLE).is_some() {
        (format!("as given in {}", access::TOKEN_VARIABLE), format!("${}", access::TOKEN_VARIABLE))
    } else {
        let file = format!("{folder}/{}", access::TOKEN_FILE);
        (format!("in {file}"), format!("$(cat {file})"))
    };
    // Without randomness there is no link, and the token signs in as well.
    let link = steward.gateway.tickets.issue().map(|ticket| format!("{url}/#ticket={ticket}"));
    let link = link.unwrap_or_else(|_| url.clone());
    if arguments.demo {
        let file = arguments.data_dir.join(demo::PASSWORD_FILE);
        say(&format!(
            "\nHelios IT is at work: sign in as lena, omar, ines, vera, mia or another of its people \
             with the password in {}.",
            file.display()
        ));
    }
    say(&format!(
        "\n{bold}Steward is ready: {link}{plain}\n\
         The link signs you in, once and within an hour. The API: {url}/api/v1/docs/\n\
         The administrator's token is {where_token}\n\n\
         Send a first alert, and see its incident:\n\
         \x20 curl -sS {url}/api/v1/intake/alertmanager -H \"Authorization: Bearer {token}\" -H 'Content-Type: application/json' -d '{ALERT}'\n\
         \x20 curl -sS {url}/api/v1/incidents -H \"Authorization: Bearer {token}\"\n\n\
         Ctrl-C stops everything; the next start goes on with all data."
    ));
}

/// One alert as Alertmanager sends it.
const ALERT: &str = r#"{"version":"4","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"DiskFull","service":"SVC-PAY","instance":"db-pay-01","severity":"critical"},"annotations":{"summary":"Disk of db-pay-01 is full"},"startsAt":"2026-11-22T10:00:00Z","endsAt":"0001-01-01T00:00:00Z"}]}"#;
