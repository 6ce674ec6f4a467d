//! What a clock is worked out from: the moments of a record that concern it, as they are known now.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::terms::Terms;

/// One event of the measured record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// When it happened, whenever we heard of it.
    pub at: DateTime<Utc>,
    /// The record's revision: what tells two moments apart, and orders those of one second.
    pub rev: u64,
    /// `incident.held.v1`
    pub kind: String,
    /// The fields that targets ask for, after the event; `event` is its name.
    pub fields: Map<String, Value>,
    /// The agreement that applied to the record when we heard of it.
    pub under: Option<String>,
    /// Whether that was decided here: at the opening, or because service or customer changed. At any
    /// other moment the agreement stays what it was, whatever was signed meanwhile.
    #[serde(default)]
    pub decides: bool,
}

/// What somebody set right about a moment, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Correction {
    /// The moment's revision.
    pub rev: u64,
    /// When it really happened; it did not happen at all, where nothing stands.
    #[serde(default)]
    pub at: Option<DateTime<Utc>>,
}

/// All that a clock is worked out from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Case {
    pub terms: Vec<Terms>,
    pub moments: Vec<Moment>,
    #[serde(default)]
    pub corrections: Vec<Correction>,
    /// When it is due, because somebody said so: neither pauses nor priorities move it.
    #[serde(default)]
    pub deadline: Option<DateTime<Utc>>,
}

impl Case {
    /// The moments up to `as_of` in the order in which they happened, each once, set right. In which
    /// order and how often they were heard makes no difference.
    pub(crate) fn told(&self, as_of: i64) -> Vec<(i64, &Moment)> {
        let mut told: Vec<(i64, &Moment)> = self
            .moments
            .iter()
            .filter_map(|moment| {
                let correction =
                    self.corrections.iter().rev().find(|correction| correction.rev == moment.rev);
                let at = correction.map_or(Some(moment.at), |correction| correction.at)?;
                Some((at.timestamp(), moment))
            })
            .filter(|(at, _)| *at <= as_of)
            .collect();
        told.sort_by_key(|(at, moment)| (*at, moment.rev));
        told.dedup_by_key(|(_, moment)| moment.rev);
        told
    }

    /// The terms that count after these moments: those of the last that decides, else of the first.
    pub(crate) fn terms_after(&self, told: &[(i64, &Moment)]) -> Option<&Terms> {
        let deciding = told.iter().rev().find(|(_, moment)| moment.decides).or(told.first());
        let (_, moment) = deciding?;
        let under = moment.under.as_ref()?;
        self.terms.iter().find(|terms| terms.agreement == *under)
    }
}
