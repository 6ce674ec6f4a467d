//! What an expression speaks of: variables, fields of the record, functions, schemes.

use std::collections::BTreeSet;

use cel::{
    IdedExpr,
    common::ast::{EntryExpr, Expr, LiteralValue},
};

/// What an event changed: field to old and new value.
pub(super) const CHANGES: &str = "changes";

/// The names in one expression, comprehension variables left out.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// `record`, `actor`, `now`, `event`, `given`.
    pub roots: BTreeSet<String>,
    /// `x` of each `record.x`.
    pub record_fields: BTreeSet<String>,
    /// `x` of each `event.x`.
    pub event_fields: BTreeSet<String>,
    /// `x` of each `event.changes.x`.
    pub event_changes: BTreeSet<String>,
    /// Roots that are used as a whole and not by field: `size(record)`.
    pub whole: BTreeSet<String>,
    pub functions: BTreeSet<String>,
    /// Schemes named by a literal first argument: `matrix('priority', …)`.
    pub schemes: BTreeSet<String>,
    /// Calculations named by a literal first argument: `calculate('clock', …)`.
    pub calculations: BTreeSet<String>,
    /// Every text that it writes out.
    pub texts: BTreeSet<String>,
    pub comprehension_depth: usize,
}

impl Names {
    pub(super) fn of(expression: &IdedExpr) -> Self {
        let mut names = Self::default();
        names.walk(expression, &mut Vec::new());
        names
    }

    fn walk(&mut self, expression: &IdedExpr, bound: &mut Vec<String>) {
        match &expression.expr {
            Expr::Ident(name) => {
                if !bound.contains(name) && !name.starts_with('@') {
                    self.roots.insert(name.clone());
                    self.whole.insert(name.clone());
                }
            }
            Expr::Select(select) => {
                if let Expr::Ident(root) = &select.operand.expr
                    && !bound.contains(root)
                {
                    let fields = match root.as_str() {
                        "record" => Some(&mut self.record_fields),
                        "event" => Some(&mut self.event_fields),
                        _ => None,
                    };
                    if let Some(fields) = fields {
                        fields.insert(select.field.clone());
                        self.roots.insert(root.clone());
                        return;
                    }
                }
                if let Expr::Select(of) = &select.operand.expr
                    && of.field == CHANGES
                    && matches!(&of.operand.expr, Expr::Ident(root) if root == "event" && !bound.contains(root))
                {
                    self.event_changes.insert(select.field.clone());
                }
                self.walk(&select.operand, bound);
            }
            Expr::Call(call) => {
                self.functions.insert(call.func_name.clone());
                if let Some(Expr::Literal(LiteralValue::String(named))) =
                    call.args.first().map(|argument| &argument.expr)
                {
                    let named = named.inner().to_owned();
                    if super::functions::asks_scheme(&call.func_name) {
                        self.schemes.insert(named);
                    } else if call.func_name == super::functions::CALCULATE {
                        self.calculations.insert(named);
                    }
                }
                call.target.iter().for_each(|target| self.walk(target, bound));
                call.args.iter().for_each(|argument| self.walk(argument, bound));
            }
            Expr::List(list) => list.elements.iter().for_each(|item| self.walk(item, bound)),
            Expr::Map(map) => map.entries.iter().for_each(|entry| self.entry(&entry.expr, bound)),
            Expr::Struct(value) => {
                value.entries.iter().for_each(|entry| self.entry(&entry.expr, bound));
            }
            Expr::Comprehension(inner) => {
                self.walk(&inner.iter_range, bound);
                self.walk(&inner.accu_init, bound);
                let outside = bound.len();
                bound.push(inner.iter_var.clone());
                bound.push(inner.accu_var.clone());
                bound.extend(inner.iter_var2.clone());
                let depth = bound.iter().filter(|name| **name == inner.accu_var).count();
                self.comprehension_depth = self.comprehension_depth.max(depth);
                for part in [&inner.loop_cond, &inner.loop_step, &inner.result] {
                    self.walk(part, bound);
                }
                bound.truncate(outside);
            }
            Expr::Literal(LiteralValue::String(text)) => {
                self.texts.insert(text.inner().to_owned());
            }
            Expr::Literal(_) | Expr::Unspecified => {}
        }
    }

    fn entry(&mut self, entry: &EntryExpr, bound: &mut Vec<String>) {
        match entry {
            EntryExpr::StructField(field) => self.walk(&field.value, bound),
            EntryExpr::MapEntry(entry) => {
                self.walk(&entry.key, bound);
                self.walk(&entry.value, bound);
            }
        }
    }
}
