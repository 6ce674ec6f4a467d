//! The page of documentation of a process, in Markdown.

use std::{collections::BTreeSet, fmt::Write as _};

use super::diagram::Counts;
use crate::{
    Definition, Expression, Languages, Transition,
    definition::{After, Every},
};

impl Definition {
    /// What a person reads of the process: its picture, who does what, its fields and its controls.
    #[must_use]
    pub fn page(&self, languages: &Languages) -> String {
        let mut page = format!("# {}\n", self.title.told(languages));
        // Writing to a text cannot fail.
        let _ = writeln!(
            page,
            "Process `{}`, version {}, digest `{}`.",
            self.process, self.version, self.digest
        );
        if let Some(retain) = &self.retain {
            let _ = writeln!(page, "Records are kept for {retain} after their end.");
        }
        if let Some(late) = &self.late {
            let (within, by) = (late.within, late.by.join(", "));
            let _ = writeln!(page, "A step is recorded up to {within} after it happened, by {by}.");
        }
        if !self.clauses.is_empty() {
            let _ = writeln!(page, "ISO/IEC 20000-1: {}.", self.clauses.join(", "));
        }
        let _ = writeln!(page, "\n```mermaid\n{}```", self.mermaid(&Counts::new(), languages));
        self.matrix(&mut page);
        self.rules(&mut page);
        self.field_table(&mut page, languages);
        self.events(&mut page);
        if !self.notify.is_empty() {
            page.push_str("\n## Who is told\n");
            for rule in &self.notify {
                let on: Vec<&str> = rule.on.iter().map(|on| on.text.as_str()).collect();
                let to: Vec<&str> = rule.to.iter().map(Expression::source).collect();
                let _ = writeln!(page, "- {}: {} of {}", rule.name, to.join(", "), on.join(", "));
            }
        }
        if let Some(children) = &self.children {
            let _ = writeln!(page, "\n## What its children do (`{}`)", children.tied);
            if children.comments {
                page.push_str("- What is said of it is said of each child.\n");
            }
            for follow in &children.follow {
                let _ = writeln!(page, "- After `{}` each takes `{}`.", follow.after, follow.take);
            }
        }
        if !self.obligations.is_empty() {
            page.push_str("\n## What is done again and again\n");
            for obligation in &self.obligations {
                let called = obligation.label.told(languages);
                let every = match &obligation.every {
                    Every::Fixed(every) => every.to_string(),
                    Every::Computed(expression) => format!("`{}`", expression.source()),
                };
                let done_by = obligation.done_by.join(" or ");
                let _ = writeln!(page, "- {called}: every {every}, by {done_by}");
            }
        }
        if !self.controls.is_empty() {
            page.push_str("\n## What never happens\n");
            for control in &self.controls {
                let _ = writeln!(page, "- {}: {}", control.name, control.claim);
            }
        }
        page
    }

    fn matrix(&self, page: &mut String) {
        let raci = self.raci();
        let _ = writeln!(page, "\n## Who does what\n| step | in | {} |", raci.roles.join(" | "));
        let _ = writeln!(page, "|---|---|{}", "---|".repeat(raci.roles.len()));
        for row in &raci.rows {
            let letters =
                raci.roles.iter().map(|role| row.roles.get(role).map_or("", String::as_str));
            let letters: Vec<_> = letters.collect();
            let _ = writeln!(
                page,
                "| {} | {} | {} |",
                row.step,
                row.states.join(", "),
                letters.join(" | ")
            );
        }
        page.push_str("R takes it or votes on it, A answers for it, C may comment, I sees it.\n");
    }

    /// What must hold for each step, and when it comes by itself.
    fn rules(&self, page: &mut String) {
        let mut rows: Vec<(&str, Vec<&str>, String)> = Vec::new();
        for (state, transition) in self.all_transitions() {
            let rule = transition.rule();
            if rule.is_empty() {
                continue;
            }
            match rows.iter_mut().find(|row| row.0 == transition.name && row.2 == rule) {
                Some(row) => row.1.push(state),
                None => rows.push((&transition.name, vec![state], rule)),
            }
        }
        if rows.is_empty() {
            return;
        }
        page.push_str("\n## What each step asks\n| step | in | |\n|---|---|---|\n");
        for (step, states, rule) in rows {
            let _ = writeln!(page, "| {step} | {} | {rule} |", states.join(", "));
        }
    }

    /// What it says to others, and what it hears of them.
    fn events(&self, page: &mut String) {
        let said: BTreeSet<&str> =
            self.all_transitions().map(|(_, transition)| transition.says.as_str()).collect();
        let said: Vec<_> = said.into_iter().map(|event| format!("`{event}`")).collect();
        let _ = writeln!(page, "\n## Events\nSays `opened`, {}.", said.join(", "));
        let opens = self.opens.iter().map(|opens| (opens.on.as_str(), "opens one".to_owned()));
        let takes = self.all_transitions().flat_map(|(_, transition)| {
            let does = format!("`{}`", transition.name);
            transition.on.iter().map(move |on| (on.event.as_str(), does.clone()))
        });
        let heard: BTreeSet<_> = opens.chain(takes).collect();
        if !heard.is_empty() {
            page.push_str("\n| hears | and does |\n|---|---|\n");
            for (event, does) in heard {
                let _ = writeln!(page, "| `{event}` | {does} |");
            }
        }
    }

    fn field_table(&self, page: &mut String, languages: &Languages) {
        page.push_str("\n## Fields\n| field | called | kind | |\n|---|---|---|---|\n");
        for field in self.fields() {
            let kind = crate::expression::Kind::of_schema(&field.schema).kind;
            let is_required = self.required.contains(&field.name).then_some("required");
            let filled = field.read_only.then_some("filled by the process");
            let listed = field.index.map(|_| "lists filter by it");
            let personal = field.personal.then_some("personal");
            let told: Vec<_> =
                [is_required, filled, listed, personal].into_iter().flatten().collect();
            let called = field.label.told(languages);
            let _ = writeln!(page, "| {} | {called} | {kind} | {} |", field.name, told.join(", "));
        }
    }
}

impl Transition {
    /// What it asks, in one line; empty where it asks nothing.
    fn rule(&self) -> String {
        let mut parts = Vec::new();
        if !self.needs.is_empty() {
            parts.push(format!("needs {}", self.needs.join(", ")));
        }
        if let Some(when) = &self.when {
            let refused = self.because.as_ref().map(|because| format!(" (else: {because})"));
            parts.push(format!("`{}`{}", told(when.source()), refused.unwrap_or_default()));
        }
        if let Some(vote) = &self.vote {
            parts.push(format!("`{}` approve", told(vote.quorum.source())));
        }
        let calendar = self.calendar.as_ref();
        let within = calendar.map(|calendar| format!(" of {calendar}")).unwrap_or_default();
        match &self.after {
            Some(After::Fixed(span)) => parts.push(format!("by itself after {span}{within}")),
            Some(After::Computed(span)) => {
                parts.push(format!("by itself after `{}`{within}", told(span.source())));
            }
            None => {}
        }
        if let Some(at) = &self.at {
            parts.push(format!("by itself at `{}`", told(at.source())));
        }
        if let Some(span) = self.within {
            parts.push(format!("within {span}{within}"));
        }
        if let Some(owes) = &self.owes {
            parts.push(format!("owes {} within {}", owes.transition, owes.within));
        }
        parts.join("; ")
    }
}

/// An expression as a cell of a table may hold it.
fn told(source: &str) -> String {
    source.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
