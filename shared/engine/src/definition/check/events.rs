//! One event, one answer: what comes first and always holds leaves nothing to what comes after it.

use crate::{
    Expression,
    definition::{Opens, State},
    flaw::Flaws,
};

pub(crate) fn events(opens: &[Opens], states: &[State], flaws: &mut Flaws) {
    for (position, later) in opens.iter().enumerate() {
        let earlier = opens[..position].iter().find(|earlier| {
            earlier.on == later.on && hides(earlier.when.as_ref(), later.when.as_ref())
        });
        if let Some(earlier) = earlier {
            let message = format!(
                "`{}` always opens what line {} says: this is never read; tell them apart with `when`",
                later.on, earlier.place.line
            );
            flaws.add(later.place, "ambiguous", message);
        }
    }
    for state in states {
        let reactions: Vec<_> = state
            .transitions
            .iter()
            .flat_map(|transition| transition.on.iter().map(move |on| (transition, on)))
            .collect();
        for (position, (transition, later)) in reactions.iter().enumerate() {
            let earlier = reactions[..position].iter().find(|(_, earlier)| {
                earlier.event == later.event
                    && earlier.key.source() == later.key.source()
                    && hides(earlier.when.as_ref(), later.when.as_ref())
            });
            if let Some((taken, _)) = earlier {
                let message = format!(
                    "in `{}`, `{}` takes `{}` always: `{}` never does; tell them apart with `when`",
                    state.name, later.event, taken.name, transition.name
                );
                flaws.add(transition.place, "ambiguous", message);
            }
        }
    }
}

/// Whether the earlier condition holds whenever the later one does.
fn hides(earlier: Option<&Expression>, later: Option<&Expression>) -> bool {
    match (earlier, later) {
        (None, _) => true,
        (Some(earlier), Some(later)) => earlier.source() == later.source(),
        (Some(_), None) => false,
    }
}
