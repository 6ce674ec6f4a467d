//! What reactions may ask of an event.

use crate::shipped::all;

/// What has not changed is not among an event's changes: to name it there is a fault each time, which
/// refuses the reaction.
#[test]
fn what_may_not_have_changed_is_asked_for_with_get() {
    let mut named = Vec::new();
    for (file, text, _) in &all() {
        for (position, line) in text.lines().enumerate() {
            if line.contains("event.changes.") {
                named.push(format!("{file}:{}: {}", position + 1, line.trim()));
            }
        }
    }
    assert!(named.is_empty(), "write get(event.changes, 'field'): {named:#?}");
}
