//! How long it takes to load a definition, and how that grows with its size.

use std::{fmt::Write as _, hint::black_box, time::Duration};

use anyhow::{Result, anyhow};
use engine::Definition;

use crate::table::{Row, Verdict, print};

/// A definition with guards, evidence and settings, of so many states with four ways out of each.
fn text(states: usize) -> String {
    let mut text = String::from(
        "process: large\ncollection: larges\nnumber: LRG\nroles: { agent: {} }\n\
         fields:\n  required: [title]\n  properties:\n",
    );
    for field in 0..20 {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "    f{field}: {{ type: string, maxLength: 200 }}");
    }
    text.push_str("    title: { type: string, maxLength: 200 }\nstarts: s0\nstates:\n");
    for state in 0..states {
        let _ = writeln!(text, "  s{state}:");
        for way in 0..4 {
            let to = (state * (way + 1) + 1) % states;
            let _ = writeln!(
                text,
                "    t{way}: {{ to: s{to}, by: [agent], needs: [f{way}], when: \"record.f{way} != 'x' && record.title != null\", set: {{ f9: record.title }} }}"
            );
        }
    }
    text
}

/// 500 states and 2,000 transitions beside 50 and 200: ten times as much, at most fifteen times as long.
pub fn load(span: Duration) -> Result<()> {
    let mut rows = Vec::new();
    let mut times = Vec::new();
    for states in [50, 500] {
        let text = text(states);
        let mut shortest = Duration::MAX;
        let begin = std::time::Instant::now();
        while begin.elapsed() < span / 2 {
            let one = std::time::Instant::now();
            let read = Definition::parse(black_box(&text), 1);
            shortest = shortest.min(one.elapsed());
            read.map_err(|flaws| anyhow!("it does not load: {}", flaws[0]))?;
        }
        let what = format!("{states} states, {} transitions", states * 4);
        rows.push(Row { p50: Some(shortest), ..Row::rate(what, 1.0 / shortest.as_secs_f64()) });
        times.push(shortest.as_secs_f64());
    }
    print(&rows, &[Verdict::at_most("load", times[1] / times[0], 15.0)]);
    Ok(())
}
