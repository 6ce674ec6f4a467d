//! Every switch of the clocks from 2020 to 2035 in ten zones, against a slow count minute by minute.

use chrono::{DateTime, Datelike as _, Offset as _, TimeDelta, TimeZone as _, Timelike as _, Utc};
use kernel::{Calendar, CalendarSource};

const ZONES: [&str; 10] = [
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "America/Santiago",
    "Asia/Kolkata",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
];

/// Shifts that a switch at night falls into, and around which it does not.
fn calendar(zone: &str) -> Calendar {
    let shifts = ["00:30-02:30", "02:45-06:00", "09:00-17:30"].map(str::to_owned).to_vec();
    let week = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let week = week.map(|day| (day.to_owned(), shifts.clone())).into();
    let source = CalendarSource { zone: zone.to_owned(), week, holidays: Default::default() };
    source.try_into().unwrap_or_else(|faults: Vec<String>| panic!("{faults:?}"))
}

/// The instants at which the zone's offset changes, found by halving each day.
fn switches(calendar: &Calendar) -> Vec<DateTime<Utc>> {
    let offset = |at: DateTime<Utc>| at.with_timezone(&calendar.zone()).offset().fix();
    let first = Utc.with_ymd_and_hms(2020, 1, 1, 0, 0, 0).unwrap();
    let days = (0..16 * 366).map(|day| first + TimeDelta::days(day));
    days.filter(|day| day.year() <= 2035)
        .filter(|day| offset(*day) != offset(*day + TimeDelta::days(1)))
        .map(|day| {
            let (mut before, mut after) = (day, day + TimeDelta::days(1));
            while after - before > TimeDelta::minutes(1) {
                let middle = before + (after - before) / 2;
                let middle = middle.with_second(0).unwrap();
                let half = if offset(middle) == offset(before) { &mut before } else { &mut after };
                *half = middle;
            }
            after
        })
        .collect()
}

/// Whether work is done in the minute that begins at an instant, by its face on the wall. In an hour
/// that comes twice, a shift begins and ends with the first face of its kind: the calendar's rule.
fn slow_count(calendar: &Calendar, from: DateTime<Utc>, to: DateTime<Utc>) -> i64 {
    let shifts = |at: DateTime<Utc>| {
        let local = at.with_timezone(&calendar.zone());
        let date = local.date_naive();
        calendar.shifts(date).iter().any(|shift| {
            let face = |second: u32| {
                let mut wall =
                    date.and_hms_opt(0, 0, 0).unwrap() + TimeDelta::seconds(i64::from(second));
                loop {
                    match calendar.zone().from_local_datetime(&wall).earliest() {
                        Some(found) => return found.with_timezone(&Utc),
                        None => wall += TimeDelta::minutes(15),
                    }
                }
            };
            face(shift.from) <= at && at < face(shift.to)
        })
    };
    let minutes = (to - from).num_minutes();
    let worked = (0..minutes).filter(|minute| shifts(from + TimeDelta::minutes(*minute)));
    i64::try_from(worked.count()).unwrap() * 60
}

#[test]
fn working_time_is_right_across_every_switch_of_the_clocks() {
    let mut count = 0;
    for zone in ZONES {
        let calendar = calendar(zone);
        let table = calendar.timetable();
        for switch in switches(&calendar) {
            count += 1;
            let (from, to) = (switch - TimeDelta::hours(20), switch + TimeDelta::hours(20));
            let expected = slow_count(&calendar, from, to);
            let worked = table.worked(from.timestamp(), to.timestamp());
            assert_eq!(worked, expected, "{zone}, {switch}");
            // And back: so much work is done when it is done, not before and not after.
            for part in [1, expected / 3, expected / 2, expected] {
                let done = table.reached(from.timestamp(), part).unwrap();
                assert_eq!(table.worked(from.timestamp(), done), part, "{zone}, {switch}");
                assert_eq!(table.worked(from.timestamp(), done - 1), part - 1, "{zone}, {switch}");
            }
        }
    }
    assert!(count > 150, "only {count} switches were found");
}

#[test]
fn a_deadline_counts_in_the_zone_of_its_calendar_and_no_other() {
    let due = |zone: &str| {
        let from = Utc.with_ymd_and_hms(2026, 3, 27, 20, 0, 0).unwrap().timestamp();
        let due = calendar(zone).timetable().reached(from, 3_600);
        DateTime::<Utc>::from_timestamp(due.unwrap(), 0).unwrap().to_rfc3339()
    };
    assert_eq!(due("Europe/Berlin"), "2026-03-28T00:30:00+00:00");
    assert_eq!(due("America/New_York"), "2026-03-27T21:00:00+00:00");
    assert_eq!(due("Asia/Kolkata"), "2026-03-27T21:00:00+00:00");
}
