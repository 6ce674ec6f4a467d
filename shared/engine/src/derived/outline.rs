//! A definition as data: what is written in it, for programs that read it.

use serde_json::{Map, Value, json};

use crate::{
    Definition, Expression, Transition,
    definition::{After, Control, Never, On, Opens, Vote},
};

impl Definition {
    /// What the definition says beside its states: who is granted roles, what is derived, which events
    /// open records, and what never happens. Expressions are texts.
    #[must_use]
    pub fn outline(&self) -> Value {
        let grants = self.roles.iter().filter_map(|role| {
            let is = role.is.as_ref()?;
            Some((role.name.clone(), json!(is.source())))
        });
        let fields = self.fields().iter().map(|field| {
            let about = json!({
                "read_only": field.read_only,
                "required": self.required.contains(&field.name),
                "reference": field.reference,
            });
            (field.name.clone(), about)
        });
        let starts = self
            .starts
            .iter()
            .map(|start| json!({ "state": start.state, "when": start.when.as_ref().map(told) }));
        json!({
            "grants": grants.collect::<Map<_, _>>(),
            "fields": fields.collect::<Map<_, _>>(),
            "derive": fills(&self.derive),
            "may": { "open": self.may.open, "amend": self.may.amend, "comment": self.may.comment, "link": self.may.link },
            "tasks": self.tasks.as_ref().map(|tasks| json!({ "by": tasks.by })),
            "children": self.children.as_ref().map(|children| json!({ "tied": children.tied })),
            "starts_in": starts.collect::<Vec<_>>(),
            "opens": self.opens.iter().map(opens).collect::<Vec<_>>(),
            "controls": self.controls.iter().map(control).collect::<Map<_, _>>(),
        })
    }
}

impl Transition {
    /// What the definition says of when it may be taken, and when it takes itself: only what is there.
    #[must_use]
    pub fn outline(&self) -> Map<String, Value> {
        let after = self.after.as_ref().map(|after| match after {
            After::Fixed(span) => json!(span.to_string()),
            After::Computed(expression) => told(expression),
        });
        let owes = self.owes.as_ref().map(|owes| {
            json!({ "transition": owes.transition, "within": owes.within.to_string(), "calendar": owes.calendar })
        });
        let on = (!self.on.is_empty()).then(|| self.on.iter().map(reaction).collect());
        let set = (!self.set.is_empty()).then(|| fills(&self.set));
        let all = [
            ("when", self.when.as_ref().map(told)),
            ("because", self.because.as_ref().map(|because| json!(because))),
            ("after", after),
            ("at", self.at.as_ref().map(told)),
            ("within", self.within.map(|span| json!(span.to_string()))),
            ("calendar", self.calendar.as_ref().map(|calendar| json!(calendar))),
            ("on", on),
            ("set", set),
            ("vote", self.vote.as_ref().map(vote)),
            ("owes", owes),
        ];
        let said = all.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        said.collect()
    }
}

fn told(expression: &Expression) -> Value {
    json!(expression.source())
}

fn fills(fills: &[(String, Expression)]) -> Value {
    fills.iter().map(|(field, value)| (field.clone(), told(value))).collect()
}

fn opens(opens: &Opens) -> Value {
    json!({
        "on": opens.on,
        "key": told(&opens.key),
        "when": opens.when.as_ref().map(told),
        "while": opens.holds_while.as_ref().map(told),
        "link": opens.link,
        "set": fills(&opens.set),
    })
}

fn reaction(on: &On) -> Value {
    json!({
        "event": on.event,
        "key": told(&on.key),
        "when": on.when.as_ref().map(told),
        "link": on.link,
        "set": fills(&on.set),
    })
}

fn vote(vote: &Vote) -> Value {
    json!({
        "of": vote.of,
        "quorum": told(&vote.quorum),
        "except": vote.except.iter().map(told).collect::<Vec<_>>(),
        "void_on": vote.void_on,
    })
}

fn control(control: &Control) -> (String, Value) {
    let never = match &control.never {
        Never::Reach { state, without, unless } => {
            json!({ "reach": state, "without": without, "unless": unless.as_deref().map(told) })
        }
        Never::ByActorOf { transition, others } => {
            json!({ "transition": transition, "by_actor_of": others })
        }
    };
    (control.name.clone(), json!({ "claim": control.claim, "never": never }))
}
