//! The engine from outside: what definitions may say, what filters may ask, and that replay is live.

mod change;
mod definitions;
mod derived;
mod filters;
mod flaws;
mod hostile;
mod obligations;
mod random;
mod replay;
mod schemes;
mod told;

use std::sync::LazyLock;

use engine::{Definition, Ruleset, Schemes};

/// A small process with everything in it that this engine knows.
pub const TICKET: &str = r"
process: ticket
collection: tickets
number: TCK
roles:
  agent: { accountable: true }
  asker: { is: record.asker }
fields:
  required: [title]
  properties:
    title:  { type: string, minLength: 1, maxLength: 50, index: text }
    weight: { type: integer, minimum: 0, maximum: 9, index: number }
    due:    { type: string, format: date-time, index: time }
    asker:  { $ref: 'steward:ref/person', index: text }
    reason: { type: string, readOnly: true }
    turns:  { type: integer, readOnly: true, default: 0 }
    heavy:  { type: boolean, readOnly: true }
    notes:  { type: string }
derive:
  heavy: record.weight != null && record.weight > 5
audience: ['role:agent', { person: record.asker }]
links: { blocks: blocked_by }
starts: waiting
states:
  waiting:
    start:  { to: working, by: [agent] }
    drop:   { to: dropped, by: [agent, asker], needs: [reason] }
    expire: { to: dropped, after: P30D }
  working:
    pause:  { to: waiting, by: [agent], needs: [reason], set: { turns: record.turns + 1 } }
    finish: { to: done, by: [agent], when: '!record.heavy || record.notes != null', because: a heavy ticket needs notes }
  done:
    again:  { to: working, by: [asker, agent], within: P2D }
    close:  { to: closed, after: P2D }
  closed: {}
  dropped: {}
";

pub fn ticket() -> Definition {
    Definition::parse(TICKET, 1).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

pub fn rules() -> &'static Ruleset {
    static RULES: LazyLock<Ruleset> = LazyLock::new(|| {
        let rules = Ruleset::new(vec![ticket()], Schemes::default());
        rules.unwrap_or_else(|faults| panic!("{faults:?}"))
    });
    &RULES
}
