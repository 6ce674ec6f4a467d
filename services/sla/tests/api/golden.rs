//! One test for each way in which products of this field are known to get a clock wrong.

use serde_json::json;
use sla::{
    explain::{segments, sentence},
    measure::Standing::{Breached, Cancelled, Met, Paused, Running, Waiting},
    reading::Reading,
    terms::Target,
};

use crate::case::{Told, at, calendar, resolution, schemes};

const HOUR: i64 = 3_600;

fn target(change: serde_json::Value) -> Target {
    let mut target = serde_json::to_value(resolution()).unwrap();
    for (name, value) in change.as_object().unwrap() {
        target[name] = value.clone();
    }
    serde_json::from_value(target).unwrap()
}

#[test]
fn the_calendar_example_of_the_catalogue_is_due_at_13_30_utc() {
    let told = Told::opened("2026-03-27T16:30:00Z", 2);
    told.check("2026-03-27T16:30:00Z", Running, 0, Some("2026-03-30T13:30:00Z"));
    told.check("2026-03-30T13:29:59Z", Running, 8 * HOUR - 1, Some("2026-03-30T13:30:00Z"));
    told.check("2026-03-30T13:30:00Z", Breached, 8 * HOUR, Some("2026-03-30T13:30:00Z"));
}

#[test]
fn a_pause_survives_a_change_of_priority() {
    let told = Told::opened("2026-03-02T08:00:00Z", 1)
        .held("2026-03-02T09:00:00Z", "caller")
        .resumed("2026-03-02T11:00:00Z")
        .prioritised("2026-03-02T11:30:00Z", 2);
    told.check("2026-03-02T12:00:00Z", Running, 2 * HOUR, Some("2026-03-03T08:00:00Z"));
}

#[test]
fn a_new_priority_is_measured_from_the_original_start() {
    let told = Told::opened("2026-03-02T08:00:00Z", 2).prioritised("2026-03-02T13:00:00Z", 1);
    told.check("2026-03-02T12:59:59Z", Running, 5 * HOUR - 1, Some("2026-03-02T16:00:00Z"));
    told.check("2026-03-02T13:00:00Z", Breached, 5 * HOUR, Some("2026-03-02T12:00:00Z"));
    // A lower one takes the breach back: nothing was owed so early.
    let told = told.prioritised("2026-03-02T14:00:00Z", 2);
    told.check("2026-03-02T14:00:00Z", Running, 6 * HOUR, Some("2026-03-02T16:00:00Z"));
}

#[test]
fn another_agreement_keeps_the_start_that_it_says() {
    let story = |policy| {
        Told::opened("2026-03-02T08:00:00Z", 1)
            .then("2026-03-02T09:00:00Z", "assigned", json!({ "state": "assigned" }))
            .moved_to("B", policy, "2026-03-02T10:00:00Z")
    };
    // From creation.
    story(resolution()).check("2026-03-02T10:30:00Z", Running, 9_000, Some("2026-03-02T12:00:00Z"));
    // From assignment.
    let assignment = target(json!({ "starts": [{ "event": ["assigned"] }] }));
    story(assignment).check("2026-03-02T10:30:00Z", Running, 5_400, Some("2026-03-02T13:00:00Z"));
    // From the change.
    let change = target(json!({ "restarts": [{ "event": ["amended"] }] }));
    story(change).check("2026-03-02T10:30:00Z", Running, 1_800, Some("2026-03-02T14:00:00Z"));
}

#[test]
fn a_pause_over_weekend_and_holiday_takes_only_working_time() {
    // Thursday 16:00 in Berlin until Monday 10:00, the Friday being a holiday.
    let told = Told::opened("2026-04-30T13:00:00Z", 2)
        .held("2026-04-30T14:00:00Z", "caller")
        .resumed("2026-05-04T08:00:00Z");
    told.check("2026-05-03T12:00:00Z", Paused, HOUR, None);
    told.check("2026-05-04T08:00:00Z", Running, HOUR, Some("2026-05-04T15:00:00Z"));
}

#[test]
fn a_day_is_a_working_day_also_for_pauses_and_split_shifts() {
    // Five days of nine hours; the pause takes six hours, whatever passes at noon and at night.
    let told = Told::opened("2026-03-02T07:00:00Z", 4)
        .held("2026-03-02T12:00:00Z", "caller")
        .resumed("2026-03-03T08:00:00Z");
    told.check("2026-03-03T08:00:00Z", Running, 4 * HOUR, Some("2026-03-09T14:00:00Z"));
    // In one piece, it ends at the same time of day.
    let whole = Told::opened("2026-03-02T10:15:00Z", 4);
    whole.check("2026-03-02T10:15:00Z", Running, 0, Some("2026-03-09T10:15:00Z"));
}

#[test]
fn nobody_works_in_the_lunch_break() {
    let four_hours = target(json!({ "limits": [{ "within": "PT4H", "calendar": "split" }] }));
    let told = Told::under(four_hours, "2026-03-02T10:30:00Z", 1);
    told.check("2026-03-02T11:30:00Z", Running, HOUR / 2, Some("2026-03-02T15:30:00Z"));
    let lunch = segments(&told.measured(schemes(), "2026-03-02T13:00:00Z"));
    let told_of_it: Vec<_> = lunch.iter().map(|part| (part.running, part.seconds)).collect();
    assert_eq!(told_of_it, [(true, HOUR / 2), (false, HOUR), (true, HOUR)]);
    assert_eq!(lunch[1].because, "outside the hours of split, version 1");
}

#[test]
fn a_warning_before_the_deadline_comes_in_working_hours() {
    // Due on Friday at 10:00; three quarters are used the evening before, not at midnight.
    let told = Told::opened("2026-03-05T11:00:00Z", 2);
    let warned = |level, when| {
        let warning = told.measured(schemes(), when).warns_at(level);
        assert_eq!(warning, Some(at("2026-03-05T17:00:00Z").timestamp()), "{level}");
    };
    warned(50, "2026-03-05T16:00:00Z");
    told.check("2026-03-05T16:00:00Z", Running, 5 * HOUR, Some("2026-03-06T09:00:00Z"));
}

#[test]
fn a_record_made_outside_of_hours_begins_with_the_next_work() {
    let told = Told::opened("2026-03-07T22:00:00Z", 2);
    told.check("2026-03-09T07:00:00Z", Running, 0, Some("2026-03-09T15:00:00Z"));
    // A day that begins on a weekend is a whole working day, too.
    let days = Told::opened("2026-03-07T22:00:00Z", 3);
    days.check("2026-03-09T07:00:00Z", Running, 0, Some("2026-03-11T17:00:00Z"));
}

#[test]
fn the_time_between_resolving_and_reopening_is_no_ones() {
    let told = Told::opened("2026-03-02T08:00:00Z", 1)
        .resolved("2026-03-02T10:00:00Z")
        .then("2026-03-02T10:30:00Z", "commented", json!({}))
        .reopened("2026-03-02T20:00:00Z");
    told.check("2026-03-02T12:00:00Z", Met, 2 * HOUR, Some("2026-03-02T12:00:00Z"));
    told.check("2026-03-02T21:00:00Z", Running, 3 * HOUR, Some("2026-03-02T22:00:00Z"));
    told.check("2026-03-02T22:00:00Z", Breached, 4 * HOUR, Some("2026-03-02T22:00:00Z"));
    let again = told.resolved("2026-03-02T21:30:00Z");
    again.check("2026-03-03T08:00:00Z", Met, 12_600, Some("2026-03-02T22:00:00Z"));
}

#[test]
fn waiting_for_a_supplier_never_pauses_the_customers_clock() {
    let told = Told::opened("2026-03-02T08:00:00Z", 1).held("2026-03-02T08:30:00Z", "supplier");
    told.check("2026-03-02T11:00:00Z", Running, 3 * HOUR, Some("2026-03-02T12:00:00Z"));
}

#[test]
fn waiting_for_a_supplier_runs_a_clock_of_its_own() {
    let supplier = target(json!({
        "name": "supplier",
        "starts": [{ "state": ["on_hold"], "hold_reason": ["supplier"] }],
        "stops": [{ "hold_reason": [null, "caller"] }],
        "reopens": [{ "event": ["held"], "hold_reason": ["supplier"] }],
        "pauses": [],
        "limits": [{ "within": "PT4H" }],
    }));
    let told = Told::under(supplier, "2026-03-02T08:00:00Z", 1)
        .held("2026-03-02T09:00:00Z", "supplier")
        .resumed("2026-03-02T11:00:00Z")
        .held("2026-03-02T13:00:00Z", "supplier");
    told.check("2026-03-02T08:30:00Z", Waiting, 0, None);
    told.check("2026-03-02T12:00:00Z", Met, 2 * HOUR, Some("2026-03-02T13:00:00Z"));
    told.check("2026-03-02T14:00:00Z", Running, 3 * HOUR, Some("2026-03-02T15:00:00Z"));
}

#[test]
fn an_edited_calendar_leaves_running_clocks_alone() {
    let told = Told::opened("2026-03-02T08:00:00Z", 2);
    let edited = engine::Schemes::new(vec![calendar("service-hours", 2, "[\"08:00-09:00\"]")])
        .with_former(vec![calendar("service-hours", 1, "[\"08:00-18:00\"]")]);
    let measure = told.measured(&edited, "2026-03-02T09:00:00Z");
    assert_eq!(measure.due_at(), Some(at("2026-03-02T16:00:00Z").timestamp()));
}

#[test]
fn an_agreement_that_is_signed_meanwhile_leaves_running_clocks_alone() {
    let strict = target(json!({ "limits": [{ "within": "PT1H" }] }));
    let told = Told::opened("2026-03-02T08:00:00Z", 1)
        .signed_meanwhile("B", strict)
        .held("2026-03-02T09:30:00Z", "supplier");
    told.check("2026-03-02T10:00:00Z", Running, 2 * HOUR, Some("2026-03-02T12:00:00Z"));
}

#[test]
fn a_version_that_is_not_at_hand_is_said_and_not_replaced() {
    let told = Told::opened("2026-03-02T08:00:00Z", 2);
    let edited = engine::Schemes::new(vec![calendar("service-hours", 2, "[\"08:00-18:00\"]")]);
    let fault = sla::measure::measure(&told.case, &edited, at("2026-03-02T09:00:00Z").timestamp());
    assert!(fault.is_err_and(|fault| fault.contains("service-hours")));
}

#[test]
fn what_has_no_priority_yet_waits_and_is_then_measured_from_its_start() {
    let told = Told::opened("2026-03-02T08:00:00Z", 5).prioritised("2026-03-02T09:00:00Z", 1);
    told.check("2026-03-02T08:30:00Z", Waiting, 0, None);
    told.check("2026-03-02T09:00:00Z", Running, HOUR, Some("2026-03-02T12:00:00Z"));
}

#[test]
fn what_is_cancelled_is_owed_no_more() {
    let told = Told::opened("2026-03-02T08:00:00Z", 1).then(
        "2026-03-02T09:00:00Z",
        "cancelled",
        json!({ "state": "cancelled" }),
    );
    told.check("2026-03-02T20:00:00Z", Cancelled, HOUR, Some("2026-03-02T12:00:00Z"));
}

#[test]
fn stopping_at_the_very_second_is_in_time_and_one_later_is_not() {
    let in_time = Told::opened("2026-03-02T08:00:00Z", 1).resolved("2026-03-02T12:00:00Z");
    in_time.check("2026-03-05T00:00:00Z", Met, 4 * HOUR, Some("2026-03-02T12:00:00Z"));
    let late = Told::opened("2026-03-02T08:00:00Z", 1).resolved("2026-03-02T12:00:01Z");
    late.check("2026-03-05T00:00:00Z", Breached, 4 * HOUR + 1, Some("2026-03-02T12:00:00Z"));
}

#[test]
fn nothing_is_in_time_because_nobody_worked_after_the_deadline() {
    // Due on Friday at 18:00, resolved on Saturday: no working second too much, and yet too late.
    let told = Told::opened("2026-03-06T09:00:00Z", 2).resolved("2026-03-07T09:00:00Z");
    told.check("2026-03-06T17:00:00Z", Breached, 8 * HOUR, Some("2026-03-06T17:00:00Z"));
    told.check("2026-03-08T00:00:00Z", Breached, 8 * HOUR, Some("2026-03-06T17:00:00Z"));
}

#[test]
fn a_late_event_takes_a_breach_back() {
    let mut told = Told::opened("2026-03-02T08:00:00Z", 1);
    told.check("2026-03-02T12:00:00Z", Breached, 4 * HOUR, Some("2026-03-02T12:00:00Z"));
    told = told.held("2026-03-02T09:00:00Z", "caller");
    told.check("2026-03-02T12:00:00Z", Paused, HOUR, None);
}

#[test]
fn a_correction_measures_anew_and_keeps_what_was_heard() {
    let told = Told::opened("2026-03-02T08:00:00Z", 1).resolved("2026-03-02T13:00:00Z");
    told.check("2026-03-02T14:00:00Z", Breached, 5 * HOUR, Some("2026-03-02T12:00:00Z"));
    let told = told.corrected(2, Some("2026-03-02T11:00:00Z"));
    told.check("2026-03-02T14:00:00Z", Met, 3 * HOUR, Some("2026-03-02T12:00:00Z"));
    let told = told.corrected(2, None);
    told.check("2026-03-02T14:00:00Z", Breached, 6 * HOUR, Some("2026-03-02T12:00:00Z"));
}

#[test]
fn several_warnings_that_were_slept_through_are_one() {
    let told = Told::opened("2026-03-02T08:00:00Z", 1);
    let measure = told.measured(schemes(), "2026-03-02T11:10:00Z");
    assert_eq!(measure.reached(), 75);
    assert_eq!(measure.warns_at(0), Some(at("2026-03-02T11:10:01Z").timestamp()));
    assert_eq!(measure.warns_at(75), Some(at("2026-03-02T11:36:00Z").timestamp()));
    // A lower priority takes the warning back, so that it can be given again.
    let eased = Told::opened("2026-03-02T08:00:00Z", 1).prioritised("2026-03-02T11:05:00Z", 3);
    let measure = eased.measured(schemes(), "2026-03-02T11:10:00Z");
    assert_eq!(Reading::of(&measure, 75).warned, 0);
}

#[test]
fn working_days_are_told_as_working_days_and_their_hours() {
    let told = Told::opened("2026-03-02T08:00:00Z", 3);
    let measure = told.measured(schemes(), "2026-03-04T09:00:00Z");
    assert_eq!(
        sentence("INC0000012", "resolution", &measure),
        "SLA-A promises resolution of INC0000012 within 3 working days (30 h) in the hours \
         service-hours; 21 h are used, and it is due at 2026-03-05T08:00:00Z."
    );
}

#[test]
fn a_clock_says_why_in_one_sentence() {
    let told = Told::opened("2026-03-02T08:00:00Z", 1)
        .held("2026-03-02T09:00:00Z", "caller")
        .resumed("2026-03-02T10:30:00Z");
    let said = |when| sentence("INC0000012", "resolution", &told.measured(schemes(), when));
    assert_eq!(
        said("2026-03-02T11:00:00Z"),
        "SLA-A promises resolution of INC0000012 within 4 h round the clock; 1 h 30 min are used, \
         1 h 30 min of pauses not counted, and it is due at 2026-03-02T13:30:00Z."
    );
    assert_eq!(
        said("2026-03-02T14:00:00Z"),
        "SLA-A promises resolution of INC0000012 within 4 h round the clock; that was missed at \
         2026-03-02T13:30:00Z: it took 4 h 30 min, 1 h 30 min of pauses not counted, 30 min too long."
    );
}

#[test]
fn a_deadline_that_was_set_by_hand_does_not_move() {
    let told = Told::opened("2026-03-02T08:00:00Z", 1).by_hand("2026-03-02T15:00:00Z");
    let due = Some("2026-03-02T15:00:00Z");
    told.check("2026-03-02T14:59:59Z", Running, 7 * HOUR - 1, due);
    told.check("2026-03-02T15:00:00Z", Breached, 7 * HOUR, due);
    // Neither by pauses nor by another priority, nor by an agreement.
    let told = told
        .held("2026-03-02T09:00:00Z", "caller")
        .prioritised("2026-03-02T10:00:00Z", 2)
        .moved_to("B", target(json!({ "limits": [{ "within": "PT1H" }] })), "2026-03-02T11:00:00Z");
    told.check("2026-03-02T14:59:59Z", Paused, HOUR, due);
    told.check("2026-03-02T15:00:00Z", Breached, HOUR, due);
    let told = told.resumed("2026-03-02T14:00:00Z").resolved("2026-03-02T15:00:00Z");
    // What stops at the very instant is in time, and what goes on after it is late.
    told.check("2026-03-02T16:00:00Z", Met, 2 * HOUR, due);
    let told = told.reopened("2026-03-02T17:00:00Z");
    told.check("2026-03-02T17:00:00Z", Breached, 2 * HOUR, due);
    // Half of the time until then is half of the way, whatever happens on it.
    let told = Told::opened("2026-03-02T08:00:00Z", 1)
        .held("2026-03-02T09:00:00Z", "caller")
        .resumed("2026-03-02T11:00:00Z")
        .by_hand("2026-03-02T14:00:00Z");
    let measure = told.measured(schemes(), "2026-03-02T11:00:00Z");
    assert_eq!(measure.reached(), 50);
    assert_eq!(measure.warns_at(50), Some(at("2026-03-02T12:30:00Z").timestamp()));
}

#[test]
fn what_happened_before_an_agreement_applied_is_judged_by_it_all_the_same() {
    let told = Told::unpromised("2026-03-02T08:00:00Z", 1);
    told.check("2026-03-02T08:30:00Z", Cancelled, 0, None);
    let told = told.held("2026-03-02T09:00:00Z", "caller").resumed("2026-03-02T10:00:00Z");
    told.check("2026-03-02T10:30:00Z", Cancelled, 0, None);
    let measure = told.measured(schemes(), "2026-03-02T10:30:00Z");
    assert_eq!(
        sentence("INC1", "resolution", &measure),
        "The resolution of INC1 is not measured: no agreement applies to it."
    );
    // The service is known by now: it counts from the opening, and the pause is one.
    let told = told.moved_to("A", resolution(), "2026-03-02T11:00:00Z");
    told.check("2026-03-02T11:00:00Z", Running, 2 * HOUR, Some("2026-03-02T13:00:00Z"));
}
