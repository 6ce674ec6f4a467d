//! How a bench prints what it measured.

use std::{fmt::Write as _, time::Duration};

use crate::load::Outcome;

/// One line: a load and what it came to.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub what: String,
    /// Operations a second.
    pub throughput: Option<f64>,
    pub p50: Option<Duration>,
    pub p99: Option<Duration>,
    pub p999: Option<Duration>,
    /// Processor time of everything that took part, an operation.
    pub cpu: Option<Duration>,
    /// Resident bytes.
    pub memory: Option<u64>,
}

impl Row {
    pub fn of(what: impl Into<String>, outcome: &Outcome) -> Self {
        Self {
            what: what.into(),
            throughput: Some(outcome.rate()),
            p50: Some(outcome.latency.at(0.5)),
            p99: Some(outcome.latency.at(0.99)),
            p999: Some(outcome.latency.at(0.999)),
            ..Self::default()
        }
    }

    pub fn rate(what: impl Into<String>, throughput: f64) -> Self {
        Self { what: what.into(), throughput: Some(throughput), ..Self::default() }
    }

    /// Adds the processor time that `operations` cost in all.
    #[must_use]
    pub fn costing(mut self, cpu: Duration, operations: u64) -> Self {
        self.cpu = u32::try_from(operations).ok().filter(|n| *n > 0).map(|n| cpu / n);
        self
    }

    #[must_use]
    pub fn holding(mut self, memory: Option<u64>) -> Self {
        self.memory = memory;
        self
    }
}

/// A ratio and what it must be.
#[derive(Clone, Debug)]
pub struct Verdict {
    pub name: String,
    pub ratio: f64,
    /// `≥ 3.0`
    pub target: String,
    pub is_met: bool,
}

impl Verdict {
    pub fn at_least(name: impl Into<String>, ratio: f64, target: f64) -> Self {
        let target_text = format!("≥ {target}");
        Self { name: name.into(), ratio, target: target_text, is_met: ratio >= target }
    }

    pub fn at_most(name: impl Into<String>, ratio: f64, target: f64) -> Self {
        let target_text = format!("≤ {target}");
        Self { name: name.into(), ratio, target: target_text, is_met: ratio <= target }
    }
}

/// Prints the rows and verdicts as Markdown, so that RESULTS.md takes them as they are.
pub fn print(rows: &[Row], verdicts: &[Verdict]) {
    let mut text = String::from(
        "| load | a second | p50 | p99 | p99.9 | CPU an operation | memory |\n|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} |",
            row.what,
            row.throughput.map_or_else(dash, |rate| thousands(rate.round() as u64)),
            row.p50.map_or_else(dash, millis),
            row.p99.map_or_else(dash, millis),
            row.p999.map_or_else(dash, millis),
            row.cpu.map_or_else(dash, |cpu| format!("{} µs", cpu.as_micros())),
            row.memory.map_or_else(dash, |bytes| format!("{} MiB", bytes >> 20)),
        );
    }
    for verdict in verdicts {
        let word = if verdict.is_met { "met" } else { "NOT met" };
        let _ = writeln!(
            text,
            "\n**{}**: {:.2}, must be {}: {word}",
            verdict.name, verdict.ratio, verdict.target
        );
    }
    println!("{text}");
}

fn dash() -> String {
    "–".to_owned()
}

fn millis(span: Duration) -> String {
    format!("{:.2} ms", span.as_secs_f64() * 1000.0)
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
    }
}
