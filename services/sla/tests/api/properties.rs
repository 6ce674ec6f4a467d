//! What holds of every clock, whatever happens to its record and in whatever order it is heard.

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde_json::json;
use sla::{
    case::Case,
    explain::segments,
    measure::{Standing, measure},
};

use crate::case::{Told, schemes, sound};

/// A step of an incident's life, so many seconds after the one before.
fn step() -> impl Strategy<Value = (u8, u32)> {
    (0..8_u8, 0..200_000_u32)
}

fn instant(seconds: i64) -> String {
    DateTime::<Utc>::from_timestamp(seconds, 0).unwrap().to_rfc3339()
}

/// A life from steps that need not make sense: events come as they come.
fn life(start: i64, priority: u64, steps: &[(u8, u32)]) -> (Told, i64) {
    let mut told = Told::opened(&instant(start), priority);
    let mut now = start;
    for (step, after) in steps {
        now += i64::from(*after);
        let when = instant(now);
        told = match step {
            0 => told.held(&when, "caller"),
            1 => told.held(&when, "supplier"),
            2 => told.resumed(&when),
            3 => told.resolved(&when),
            4 => told.reopened(&when),
            5 => told.prioritised(&when, u64::from(*after % 5 + 1)),
            6 => told.then(&when, "cancelled", json!({ "state": "cancelled" })),
            _ => told.then(&when, "assigned", json!({ "state": "assigned" })),
        };
    }
    (told, now)
}

/// 2020 to 2035.
fn start() -> std::ops::Range<i64> {
    1_577_836_800..2_051_222_400
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn segments_follow_each_other_and_add_up(
        start in start(), priority in 1..5_u64, steps in prop::collection::vec(step(), 0..20),
        later in 0..2_000_000_i64,
    ) {
        let (told, now) = life(start, priority, &steps);
        sound(&told.measured(schemes(), &instant(now + later)));
    }

    #[test]
    fn the_order_and_number_of_deliveries_make_no_difference(
        start in start(), priority in 1..5_u64, steps in prop::collection::vec(step(), 1..12),
        seed in prop::collection::vec(any::<prop::sample::Index>(), 0..24),
    ) {
        let (told, now) = life(start, priority, &steps);
        let mut shuffled = told.case.moments.clone();
        for (place, index) in seed.iter().enumerate() {
            let other = index.index(shuffled.len());
            let place = place % shuffled.len();
            shuffled.swap(place, other);
            shuffled.push(shuffled[other].clone());
        }
        let heard = Case { moments: shuffled, ..told.case.clone() };
        let (one, two) = (measure(&told.case, schemes(), now), measure(&heard, schemes(), now));
        let (one, two) = (one.unwrap(), two.unwrap());
        prop_assert_eq!(segments(&one), segments(&two));
        prop_assert_eq!((one.standing(), one.due_at()), (two.standing(), two.due_at()));
    }

    #[test]
    fn what_is_worked_out_step_by_step_is_what_is_worked_out_at_once(
        start in start(), priority in 1..5_u64, steps in prop::collection::vec(step(), 1..12),
    ) {
        // After each event the past is what it was, save for a new limit, which counts from the start.
        for length in 0..steps.len() {
            let (before, now) = life(start, priority, &steps[..length]);
            let (after, next) = life(start, priority, &steps[..=length]);
            let told_then = measure(&after.case, schemes(), now).unwrap();
            if next > now {
                prop_assert_eq!(
                    segments(&measure(&before.case, schemes(), now).unwrap()),
                    segments(&told_then)
                );
            }
        }
    }

    #[test]
    fn a_clock_that_runs_breaches_at_the_second_at_which_it_is_due(
        start in start(), priority in 1..5_u64, steps in prop::collection::vec(step(), 0..8),
    ) {
        let (told, now) = life(start, priority, &steps);
        let running = measure(&told.case, schemes(), now).unwrap();
        if let (Standing::Running, Some(due)) = (running.standing(), running.due_at()) {
            let standing = |at| measure(&told.case, schemes(), at).unwrap().standing();
            prop_assert_eq!(standing(due - 1), Standing::Running);
            prop_assert_eq!(standing(due), Standing::Breached);
        }
    }
}
