//! The page of documentation of a process, in Markdown.

use std::fmt::Write as _;

use super::diagram::Counts;
use crate::{Definition, Languages, definition::Every};

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
        self.field_table(&mut page, languages);
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
