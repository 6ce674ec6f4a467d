//! Kept totals beside a count of every clock: the same at every instant, whatever has fired.

use kernel::Reader;
use serde_json::json;
use sla::{
    figures::{Figures, Table},
    measure::{Standing, measure},
    reading::case_of,
};
use store::{PAGE_LIMIT, Query, Wanted};

use crate::{
    case::at,
    desk::{Desk, Site, event, everywhere},
};

everywhere!(totals_are_exact_at_every_instant_whether_timers_have_fired_or_not);

/// What counting every clock by itself gives at this moment.
async fn counted(desk: &Desk, from: &str, to: &str) -> Figures {
    let office = &desk.running.office;
    let all = Query { limit: PAGE_LIMIT, ..Query::of("clock") };
    let clocks = office.store.list(&all, &Reader::Everything).await.unwrap().items;
    let mut figures = Figures::default();
    for clock in clocks {
        let case = case_of(&clock).unwrap();
        let now = desk.clock.now().timestamp();
        let rules = office.rules();
        let measure = measure(&case, rules.schemes(), now).unwrap();
        let Some(due) = measure.due_at() else { continue };
        if (at(from).timestamp()..at(to).timestamp()).contains(&due) {
            match measure.standing() {
                Standing::Met => figures.met += 1,
                Standing::Breached => figures.breached += 1,
                Standing::Running => figures.open += 1,
                Standing::Cancelled => figures.excluded += 1,
                Standing::Waiting | Standing::Paused => {}
            }
        }
    }
    figures
}

async fn kept(desk: &Desk, from: &str, to: &str) -> Figures {
    let now = desk.clock.now();
    let wanted = Wanted { process: "clock", from: at(from), until: at(to), now, due: "breach" };
    let sums = desk.running.office.store.sums(wanted, &Reader::Everything).await.unwrap();
    let groups = Table::now(&sums).grouped(false);
    assert!(groups.len() <= 1);
    groups.into_values().next().unwrap_or_default().0
}

async fn totals_are_exact_at_every_instant_whether_timers_have_fired_or_not(site: &Site) {
    let mut desk = Desk::open(site).await;
    let plain = json!({ "priority": 1 });
    // Each opened five minutes after the one before, with four hours.
    for place in 0..12_u8 {
        let minute = place * 5;
        let opened = format!("2026-03-02T08:{minute:02}:00Z");
        desk.clock.move_to(at(&opened));
        let said = event(1, &opened, "opened", json!(null), "new", plain.clone());
        desk.hears_of(place, &said).await;
    }
    let hold = json!({ "priority": 1, "hold_reason": "caller" });
    let steps = [
        (
            "09:30",
            0,
            event(2, "2026-03-02T09:30:00Z", "resolved", json!("new"), "resolved", plain.clone()),
        ),
        (
            "10:00",
            1,
            event(2, "2026-03-02T10:00:00Z", "cancelled", json!("new"), "cancelled", plain.clone()),
        ),
        ("10:30", 2, event(2, "2026-03-02T10:30:00Z", "held", json!("new"), "on_hold", hold)),
        (
            "12:20",
            3,
            event(2, "2026-03-02T12:20:00Z", "resolved", json!("new"), "resolved", plain.clone()),
        ),
        (
            "12:50",
            2,
            event(3, "2026-03-02T12:50:00Z", "resumed", json!("on_hold"), "new", plain.clone()),
        ),
    ];
    let mut steps = steps.into_iter().peekable();
    let spans = [
        ("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"),
        ("2026-03-02T12:15:00Z", "2026-03-02T12:30:00Z"),
        ("2026-03-01T22:00:00Z", "2026-03-31T22:00:00Z"),
        ("2026-03-02T12:45:00Z", "2026-03-04T13:00:00Z"),
    ];
    for minute in (570..=800).step_by(5) {
        let time = format!("{:02}:{:02}", minute / 60, minute % 60);
        desk.clock.move_to(at(&format!("2026-03-02T{time}:00Z")));
        while let Some((_, place, said)) = steps.next_if(|(when, _, _)| *when <= time.as_str()) {
            desk.hears_of(place, &said).await;
        }
        // Timers sleep until half past twelve: what is overdue is known all the same.
        if time.as_str() >= "12:30" && minute % 2 == 0 {
            let _ = desk.running.settle().await.unwrap();
        }
        for (from, to) in spans {
            assert_eq!(
                kept(&desk, from, to).await,
                counted(&desk, from, to).await,
                "{time} {from}"
            );
        }
    }
    assert!(desk.running.office.store.verify().await.unwrap().is_sound());
}
