//! What a definition speaks of: events, calendars, schemes, calculations, and all of its expressions.

use std::collections::BTreeSet;

use super::{Audience, Control, Definition, Notify, Obligation, Opens};
use crate::{Expression, yaml::Mark};

/// Expressions of one part of a definition.
pub(crate) type Expressions<'a> = Box<dyn Iterator<Item = &'a Expression> + 'a>;

impl Definition {
    /// The events of other processes that this one reacts to.
    pub fn hears(&self) -> BTreeSet<&str> {
        let opens = self.opens.iter().map(|opens| opens.on.as_str());
        let takes = self
            .all_transitions()
            .flat_map(|(_, transition)| transition.on.iter().map(|on| on.event.as_str()));
        opens.chain(takes).collect()
    }

    /// Each event that it reacts to, with what decides how.
    pub(crate) fn reactions(&self) -> impl Iterator<Item = (&str, Expressions<'_>)> {
        let opens = self.opens.iter().map(|opens| (opens.on.as_str(), opens.expressions()));
        let takes = self.all_transitions().flat_map(|(_, transition)| &transition.on);
        opens.chain(takes.map(|on| (on.event.as_str(), on.expressions())))
    }

    /// The calendars that its timers and time limits count in, each with its place.
    pub(crate) fn calendars(&self) -> impl Iterator<Item = (&str, Mark)> {
        let timed = self.all_transitions().flat_map(|(_, transition)| {
            let owed = transition.owes.iter().flat_map(|owes| &owes.calendar);
            transition.calendar.iter().chain(owed).map(|name| (name.as_str(), transition.place))
        });
        let late =
            self.late.iter().filter_map(|late| Some((late.calendar.as_deref()?, late.place)));
        let obligations = self.obligations.iter();
        let obligations = obligations.filter_map(|one| Some((one.calendar.as_deref()?, one.place)));
        timed.chain(late).chain(obligations)
    }

    /// The schemes that its expressions ask by name, each with its place.
    pub(crate) fn schemes(&self) -> impl Iterator<Item = (&str, Mark)> {
        self.expressions().flat_map(|expression| {
            let schemes = expression.names().schemes.iter();
            schemes.map(|scheme| (scheme.as_str(), expression.place()))
        })
    }

    /// What its expressions leave to the service's own code, each with its place.
    pub(crate) fn calculations(&self) -> impl Iterator<Item = (&str, Mark)> {
        self.expressions().flat_map(|expression| {
            let names = expression.names();
            let declared = names.functions.iter().filter(|name| !Expression::is_builtin(name));
            let all = names.calculations.iter().chain(declared);
            all.map(|name| (name.as_str(), expression.place()))
        })
    }

    /// Whether any of its expressions speaks of what a record is tied to.
    pub(crate) fn asks_links(&self) -> bool {
        self.expressions().any(Expression::asks_links)
    }

    fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let roles = self.roles.iter().filter_map(|role| role.is.as_ref());
        let derive = self.derive.iter().map(|(_, expression)| expression);
        let audience = self.audience.iter().filter_map(|audience| match audience {
            Audience::Of { value, .. } => Some(value.as_ref()),
            Audience::Token(_) => None,
        });
        let opens = self.opens.iter().flat_map(Opens::expressions);
        let transitions = self
            .states
            .iter()
            .flat_map(|state| &state.transitions)
            .flat_map(|transition| transition.expressions());
        let starts = self.starts.iter().filter_map(|start| start.when.as_ref());
        let controls = self.controls.iter().flat_map(Control::expressions);
        roles
            .chain(starts)
            .chain(derive)
            .chain(audience)
            .chain(opens)
            .chain(transitions)
            .chain(controls)
            .chain(self.obligations.iter().flat_map(Obligation::expressions))
            .chain(self.notify.iter().flat_map(Notify::expressions))
            .chain(self.children.iter().filter_map(|children| children.when.as_ref()))
    }
}
