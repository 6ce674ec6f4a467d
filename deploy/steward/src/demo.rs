//! `steward up --demo`: an organisation at work, with a month behind it.
//!
//! Its history is made by commands over the public API, each by who does such a thing, while the
//! platform runs on a clock that is moved through the month. Nothing is inserted. Afterwards the platform
//! starts again on the clock that was asked for, on the same data.

mod play;
mod progress;
mod script;
mod when;

use chrono::{DateTime, Utc};
use kernel::Clock;

use crate::{
    Settings,
    boot::{self, boot},
};
pub use play::PASSWORD_FILE;
use play::Player;
use progress::Progress;
use script::Script;

/// The organisation and its month.
const FILES: [(&str, &str); 8] = [
    ("people.yaml", include_str!("../../demo/people.yaml")),
    ("services.yaml", include_str!("../../demo/services.yaml")),
    ("estate.yaml", include_str!("../../demo/estate.yaml")),
    ("desk.yaml", include_str!("../../demo/desk.yaml")),
    ("problems.yaml", include_str!("../../demo/problems.yaml")),
    ("changes.yaml", include_str!("../../demo/changes.yaml")),
    ("relations.yaml", include_str!("../../demo/relations.yaml")),
    ("governance.yaml", include_str!("../../demo/governance.yaml")),
];

/// Makes the history in the data folder of `settings`, ending at `end`, unless it is there. What was
/// begun before goes on where it stopped.
///
/// # Errors
/// A folder that holds other data, a platform that does not start, a step that was refused.
pub async fn make(
    settings: Settings,
    end: DateTime<Utc>,
    say: &mut (dyn FnMut(String) + Send),
) -> anyhow::Result<()> {
    let folder = settings.config.service.data_dir.clone();
    let mut progress = Progress::open(&folder, end)?;
    if progress.is_finished() {
        return Ok(());
    }
    let script = Script::read(&FILES, progress.end())?;
    let stood = progress.stood().unwrap_or_else(|| script.begins());
    // Told now and not after the month; until it is made, nobody finds the platform on that port.
    boot::free(settings.port).await?;
    say(format!("Making a month of history in {} steps.", script.steps.len()));
    let steward = boot(Settings { clock: Clock::manual(stood), port: 0, ..settings }, say).await?;
    let played = Player::new(&steward, &script, &mut progress, &folder).play(say).await;
    steward.stop().await;
    played?;
    progress.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever day it is, everybody is there before they do something, and nothing lies ahead.
    #[test]
    fn the_month_can_end_on_any_day() {
        for end in [
            "2026-01-05T06:00:00Z",
            "2026-04-05T23:30:00Z",
            "2026-08-01T12:00:00Z",
            "2026-11-23T09:00:00Z",
        ] {
            let end: DateTime<Utc> = end.parse().unwrap();
            let script =
                Script::read(&FILES, end).unwrap_or_else(|error| panic!("{end}: {error:#}"));
            assert!(
                script.steps.len() > 1_000 && script.begins() > end - chrono::TimeDelta::days(40)
            );
        }
    }
}
