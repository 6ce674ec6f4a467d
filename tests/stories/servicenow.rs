//! The log of another tool's incidents, read as the steps that ours must take to end the same.
//!
//! A row is one update of one incident. What the log tells is taken as it stands; what must have
//! happened in between (a group before a reassignment, work before a resolution) is a step too,
//! marked as implied.

use std::path::Path;

use anyhow::{Context, Result};
use chrono::{DateTime, NaiveDateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What the log writes where it does not know.
const UNKNOWN: &str = "?";
/// Stands for the group where the log counts a reassignment and names none.
const NO_GROUP: &str = "Group unknown";

/// The columns that matter to us.
#[derive(Clone, Debug, Deserialize)]
pub struct Row {
    pub number: String,
    pub incident_state: String,
    pub reassignment_count: u64,
    pub reopen_count: u64,
    pub caller_id: String,
    pub opened_at: String,
    pub sys_updated_by: String,
    pub sys_updated_at: String,
    pub category: String,
    pub u_symptom: String,
    pub cmdb_ci: String,
    pub impact: String,
    pub urgency: String,
    pub assignment_group: String,
    pub closed_code: String,
    pub resolved_by: String,
    pub made_sla: String,
}

/// One command of the import.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub what: What,
    pub occurred_at: DateTime<Utc>,
    /// Not in the log, but must have happened.
    pub implied: bool,
    /// Who, in the log's words.
    pub by: String,
}

impl Step {
    /// The step as the import takes it.
    pub fn wish(&self) -> Value {
        let mut wish = match &self.what {
            What::Open(data) => json!({ "open": data }),
            What::Amend(patch) => json!({ "amend": patch }),
            What::Take { transition, with } => json!({ "take": transition, "with": with }),
            What::Comment(text) => json!({ "comment": text }),
        };
        wish["occurred_at"] = json!(self.occurred_at);
        wish["by"] = json!(self.by);
        if self.implied {
            wish["implied"] = json!(true);
        }
        wish
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum What {
    Open(Map<String, Value>),
    Amend(Map<String, Value>),
    Take { transition: &'static str, with: Map<String, Value> },
    Comment(String),
}

/// One incident of the log, and what it must have come to in the end.
#[derive(Clone, Debug)]
pub struct Incident {
    pub number: String,
    pub steps: Vec<Step>,
    pub reassignments: u64,
    pub reopens: u64,
    pub rows: usize,
    /// Whether the log counts it as in time.
    pub is_in_time: bool,
}

/// All incidents of a log file, in the file's order.
pub fn read(path: &Path) -> Result<Vec<Incident>> {
    let mut reader = csv::Reader::from_path(path)?;
    let rows = reader.deserialize().collect::<Result<Vec<Row>, _>>()?;
    rows.chunk_by(|a, b| a.number == b.number).map(incident).collect()
}

/// The steps that the rows of one incident tell, in their order.
pub fn incident(rows: &[Row]) -> Result<Incident> {
    let (first, last) = rows.first().zip(rows.last()).context("an incident has a row")?;
    let mut replay = Replay::open(first)?;
    replay.follow(first, true)?;
    for row in &rows[1..] {
        replay.follow(row, false)?;
    }
    Ok(Incident {
        number: first.number.clone(),
        steps: replay.steps,
        reassignments: last.reassignment_count,
        reopens: last.reopen_count,
        rows: rows.len(),
        is_in_time: last.made_sla == "TRUE",
    })
}

/// Where our incident stands while the log is read.
struct Replay {
    steps: Vec<Step>,
    state: &'static str,
    at: DateTime<Utc>,
    data: Map<String, Value>,
    hold_reason: Option<&'static str>,
    group: Option<String>,
    /// A group has been assigned: from now on each assignment is a reassignment.
    is_assigned: bool,
    reassignments: u64,
    reopens: u64,
}

impl Replay {
    fn open(row: &Row) -> Result<Self> {
        let at = moment(&row.opened_at)?;
        let data = data_of(row);
        let mut opening = data.clone();
        opening.extend(object(json!({
            "title": format!("{} of {}", known(&row.u_symptom).unwrap_or("Incident"), row.number),
            "reporter": format!("imported:{}", row.caller_id),
            "channel": "phone",
            "external_id": row.number,
        })));
        let opened = Step {
            what: What::Open(opening),
            occurred_at: at,
            implied: false,
            by: row.caller_id.clone(),
        };
        Ok(Self {
            steps: vec![opened],
            state: "new",
            at,
            data,
            hold_reason: None,
            group: None,
            is_assigned: false,
            reassignments: 0,
            reopens: 0,
        })
    }

    /// Takes the steps that lead to what `row` tells.
    fn follow(&mut self, row: &Row, is_first: bool) -> Result<()> {
        // Updates of the same minute keep the file's order, and none lies before the opening.
        self.at = self.at.max(moment(&row.sys_updated_at)?);
        let before = self.steps.len();
        self.amend(row);
        let target = state_of(row);
        if matches!(self.state, "resolved" | "closed") {
            self.walk(target, row);
            self.assign(row);
        } else {
            self.assign(row);
            self.walk(target, row);
        }
        if self.steps.len() == before && !is_first && self.state != "closed" {
            let text = format!("{} updated the incident.", row.sys_updated_by);
            self.push(What::Comment(text), false, row);
        }
        Ok(())
    }

    fn amend(&mut self, row: &Row) {
        if matches!(self.state, "closed") {
            return;
        }
        let now = data_of(row);
        let mut patch: Map<String, Value> = now
            .iter()
            .filter(|(field, value)| self.data.get(*field) != Some(*value))
            .map(|(field, value)| (field.clone(), value.clone()))
            .collect();
        for field in self.data.keys().filter(|field| !now.contains_key(*field)) {
            patch.insert(field.clone(), Value::Null);
        }
        self.data = now;
        if !patch.is_empty() {
            self.push(What::Amend(patch), false, row);
        }
    }

    /// Brings the group and its counter to what the row says.
    fn assign(&mut self, row: &Row) {
        let named = known(&row.assignment_group).map(str::to_owned);
        let further = row.reassignment_count.saturating_sub(self.reassignments);
        self.reassignments = row.reassignment_count;
        if !self.is_assigned && (named.is_some() || further > 0) {
            self.take_assign(named.clone(), true, row);
        }
        for _ in 0..further {
            self.take_assign(named.clone(), false, row);
        }
        if named.is_some() && named != self.group {
            self.group.clone_from(&named);
            let patch = object(json!({ "group": named }));
            self.push(What::Amend(patch), false, row);
        }
    }

    fn take_assign(&mut self, named: Option<String>, implied: bool, row: &Row) {
        let group = named.or_else(|| self.group.take()).unwrap_or_else(|| NO_GROUP.to_owned());
        self.is_assigned = true;
        self.group = Some(group.clone());
        if self.state == "new" {
            self.state = "assigned";
        }
        let with = object(json!({ "group": group }));
        self.push(What::Take { transition: "assign", with }, implied, row);
    }

    /// Takes the shortest way to the state that the row tells; all but its last step are implied.
    fn walk(&mut self, target: Target, row: &Row) {
        let same_hold = self.hold_reason == target.hold_reason;
        if self.state == target.state && (self.state != "on_hold" || same_hold) {
            return self.reopen_unseen(row);
        }
        if target.state == "new" {
            // The log says New for what has a group already and waits: that is `assigned` here.
            return;
        }
        if !self.is_assigned {
            self.take_assign(known(&row.assignment_group).map(str::to_owned), true, row);
        }
        let mut way = way(self.state, target.state);
        if self.state == target.state {
            // From one reason of waiting to another.
            way = vec!["resume", "hold"];
        }
        let last = way.len().saturating_sub(1);
        for (position, transition) in way.into_iter().enumerate() {
            self.take(transition, position < last, &target, row);
        }
    }

    /// The counter of reopenings rose and the state did not change: it was resolved in between.
    fn reopen_unseen(&mut self, row: &Row) {
        if self.state == "in_progress" && row.reopen_count > self.reopens {
            let target = state_of(row);
            self.take("resolve", true, &target, row);
            self.take("reopen", true, &target, row);
        }
    }

    fn take(&mut self, transition: &'static str, implied: bool, target: &Target, row: &Row) {
        let with = match transition {
            "hold" => json!({ "hold_reason": target.hold_reason }),
            "resolve" => json!({
                "resolution_code": known(&row.closed_code).unwrap_or("unknown"),
                "resolution": format!("{}, as the log tells.", row.resolved_by),
            }),
            "reopen" => json!({ "reason": "Reopened, as the log tells." }),
            _ => json!({}),
        };
        self.reopens += u64::from(transition == "reopen");
        self.state = after(transition);
        self.hold_reason = target.hold_reason.filter(|_| self.state == "on_hold");
        self.push(What::Take { transition, with: object(with) }, implied, row);
    }

    fn push(&mut self, what: What, implied: bool, row: &Row) {
        let by = row.sys_updated_by.clone();
        self.steps.push(Step { what, occurred_at: self.at, implied, by });
    }
}

struct Target {
    state: &'static str,
    hold_reason: Option<&'static str>,
}

/// The log's state in our words.
fn state_of(row: &Row) -> Target {
    let (state, hold_reason) = match row.incident_state.as_str() {
        "Active" => ("in_progress", None),
        "Awaiting User Info" | "Awaiting Evidence" => ("on_hold", Some("caller")),
        "Awaiting Vendor" => ("on_hold", Some("supplier")),
        "Awaiting Problem" => ("on_hold", Some("problem")),
        "Awaiting Change" => ("on_hold", Some("change")),
        "Resolved" => ("resolved", None),
        "Closed" => ("closed", None),
        _ => ("new", None),
    };
    Target { state, hold_reason }
}

/// The transitions from an assigned incident's state to another state.
fn way(from: &str, to: &str) -> Vec<&'static str> {
    let to_work: &[&str] = match from {
        "assigned" => &["start"],
        "on_hold" => &["resume"],
        "resolved" if to != "closed" => &["reopen"],
        _ => &[],
    };
    let onward: &[&str] = match to {
        "on_hold" => &["hold"],
        "resolved" => &["resolve"],
        "closed" if from == "resolved" => &["close"],
        "closed" => &["resolve", "close"],
        _ => &[],
    };
    [to_work, onward].concat()
}

fn after(transition: &str) -> &'static str {
    match transition {
        "hold" => "on_hold",
        "resolve" => "resolved",
        "close" => "closed",
        _ => "in_progress",
    }
}

/// What amendments may change, as a row tells it; apart from state, group and counters.
fn data_of(row: &Row) -> Map<String, Value> {
    let mut data = object(json!({
        "impact": level(&row.impact),
        "urgency": level(&row.urgency),
    }));
    let optional = [("category", &row.category), ("configuration_item", &row.cmdb_ci)];
    for (field, value) in optional {
        if let Some(value) = known(value) {
            data.insert(field.to_owned(), value.into());
        }
    }
    data
}

/// `1 - High` and so on.
fn level(text: &str) -> &'static str {
    match text.as_bytes().first() {
        Some(b'1') => "high",
        Some(b'3') => "low",
        _ => "medium",
    }
}

fn known(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| *text != UNKNOWN && !text.is_empty())
}

/// Day-month-year hour:minute; the log names no zone, so it counts as UTC.
fn moment(text: &str) -> Result<DateTime<Utc>> {
    let naive = NaiveDateTime::parse_from_str(text.trim(), "%d-%m-%Y %H:%M")
        .with_context(|| format!("`{text}` is no time of the log"))?;
    Ok(naive.and_utc())
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use acceptance::data;

    use super::*;

    fn row(state: &str, minute: u32, group: &str, counts: (u64, u64)) -> Row {
        Row {
            number: "INC1".to_owned(),
            incident_state: state.to_owned(),
            reassignment_count: counts.0,
            reopen_count: counts.1,
            caller_id: "Caller 1".to_owned(),
            opened_at: "29-02-2016 08:00".to_owned(),
            sys_updated_by: "Updated by 1".to_owned(),
            sys_updated_at: format!("29-02-2016 09:{minute:02}"),
            category: "Category 1".to_owned(),
            u_symptom: UNKNOWN.to_owned(),
            cmdb_ci: UNKNOWN.to_owned(),
            impact: "2 - Medium".to_owned(),
            urgency: "1 - High".to_owned(),
            assignment_group: group.to_owned(),
            closed_code: "code 5".to_owned(),
            resolved_by: "Resolved by 1".to_owned(),
            made_sla: "TRUE".to_owned(),
        }
    }

    /// The steps as words; an implied one stands in brackets.
    fn told(rows: &[Row]) -> String {
        let steps = incident(rows).expect("the rows are sound").steps;
        let word = |step: &Step| {
            let word = match &step.what {
                What::Open(_) => "open",
                What::Amend(_) => "amend",
                What::Comment(_) => "comment",
                What::Take { transition, .. } => transition,
            };
            if step.implied { format!("[{word}]") } else { word.to_owned() }
        };
        steps.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_plain_life_is_told_in_full() {
        let rows = [
            row("New", 0, "A", (0, 0)),
            row("Active", 1, "A", (0, 0)),
            row("Awaiting User Info", 2, "A", (0, 0)),
            row("Active", 3, "A", (0, 0)),
            row("Resolved", 4, "A", (0, 0)),
            row("Closed", 5, "A", (0, 0)),
        ];
        assert_eq!(told(&rows), "open [assign] start hold resume resolve close");
    }

    #[test]
    fn what_the_log_leaves_out_is_implied() {
        let straight = [row("New", 0, "A", (0, 0)), row("Resolved", 1, "A", (0, 0))];
        assert_eq!(told(&straight), "open [assign] [start] resolve");
        let late = [row("Resolved", 0, UNKNOWN, (0, 0)), row("Closed", 1, UNKNOWN, (0, 0))];
        assert_eq!(told(&late), "open [assign] [start] resolve close");
        let waits =
            [row("Awaiting User Info", 0, "A", (0, 0)), row("Awaiting Vendor", 1, "A", (0, 0))];
        assert_eq!(told(&waits), "open [assign] [start] hold [resume] hold");
    }

    #[test]
    fn every_step_of_the_reassignment_counter_is_an_assignment() {
        let rows = [
            row("New", 0, "A", (0, 0)),
            row("New", 1, "B", (1, 0)),
            row("New", 2, "B", (2, 0)),
            row("Active", 3, UNKNOWN, (3, 0)),
        ];
        assert_eq!(told(&rows), "open [assign] assign assign assign start");
        let from_nobody = [row("New", 0, UNKNOWN, (0, 0)), row("New", 1, "B", (1, 0))];
        assert_eq!(told(&from_nobody), "open [assign] assign");
        let uncounted = [row("New", 0, "A", (0, 0)), row("New", 1, "B", (0, 0))];
        assert_eq!(told(&uncounted), "open [assign] amend");
    }

    #[test]
    fn a_reopening_is_seen_or_implied() {
        let seen = [row("Resolved", 0, "A", (0, 0)), row("Active", 1, "A", (0, 1))];
        assert_eq!(told(&seen), "open [assign] [start] resolve reopen");
        let unseen = [row("Active", 0, "A", (0, 0)), row("Active", 1, "A", (0, 1))];
        assert_eq!(told(&unseen), "open [assign] start [resolve] [reopen]");
    }

    #[test]
    fn an_update_that_changes_nothing_we_keep_is_a_comment() {
        let rows = [row("New", 0, "A", (0, 0)), row("New", 0, "A", (0, 0))];
        assert_eq!(told(&rows), "open [assign] comment");
    }

    #[test]
    fn the_whole_log_ends_closed_with_its_own_counters() {
        let Some(path) = data("servicenow-incidents.csv") else { return };
        let incidents = read(&path).expect("the log can be read");
        assert_eq!(incidents.len(), 445);
        assert_eq!(incidents.iter().map(|one| one.rows).sum::<usize>(), 3019);
        for one in &incidents {
            let count = |name: &str| {
                let taken = |step: &&Step| matches!(&step.what, What::Take { transition, .. } if *transition == name);
                one.steps.iter().filter(taken).count() as u64
            };
            assert_eq!(count("assign"), one.reassignments + 1, "{}", one.number);
            assert_eq!(count("reopen"), one.reopens, "{}", one.number);
            assert_eq!(count("close"), 1, "{}", one.number);
            let times: Vec<_> = one.steps.iter().map(|step| step.occurred_at).collect();
            assert!(times.is_sorted(), "{}", one.number);
        }
    }
}
