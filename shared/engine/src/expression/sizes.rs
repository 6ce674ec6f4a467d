//! How large what an expression works out may be, and how its walks are written.

use cel::{
    IdedExpr,
    common::ast::{ComprehensionExpr, Expr},
};

use super::kind::Bounded;

/// A number or an instant as text is no longer.
const SCALAR_TEXT_BYTES: u64 = 64;

/// How many bytes a function makes of what it is given, which is so many bytes in all.
pub(super) fn made(function: &str, given: &[&Bounded], read: u64) -> u64 {
    match (function, given) {
        ("replace", [text, _, with, ..]) => {
            let places = text.bytes.saturating_add(1);
            text.bytes.saturating_add(places.saturating_mul(with.bytes))
        }
        ("join", [list, between]) => {
            list.bytes.saturating_add(list.size.saturating_mul(between.bytes))
        }
        ("string", _) => read.saturating_add(SCALAR_TEXT_BYTES),
        ("key", _) => read.saturating_add(given.len() as u64 * SCALAR_TEXT_BYTES),
        _ => read,
    }
}

/// One or the other.
pub(super) fn either(one: Bounded, other: Bounded) -> Bounded {
    Bounded {
        size: one.size.max(other.size),
        bytes: one.bytes.max(other.bytes),
        kind: one.kind.or(other.kind),
    }
}

pub(super) fn sum(numbers: impl Iterator<Item = u64>) -> u64 {
    numbers.fold(0, u64::saturating_add)
}

/// What `map` and `filter` append to their list for each item, and on what condition.
pub(super) fn appended(walk: &ComprehensionExpr) -> Option<(Option<&IdedExpr>, &IdedExpr)> {
    let is_list = |of: &IdedExpr| matches!(&of.expr, Expr::Ident(name) if *name == walk.accu_var);
    let (guard, step) = match &walk.loop_step.expr {
        Expr::Call(call) if call.func_name == "_?_:_" => match call.args.as_slice() {
            [guard, step, otherwise] if is_list(otherwise) => (Some(guard), step),
            _ => return None,
        },
        _ => (None, &walk.loop_step),
    };
    let Expr::Call(call) = &step.expr else { return None };
    match call.args.as_slice() {
        [list, more] if call.func_name == "_+_" && is_list(list) => match &more.expr {
            Expr::List(more) => Some((guard, more.elements.first()?)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether an expression only takes a part of a variable: `x`, `x.name`.
pub(super) fn is_part_of(expression: &IdedExpr, variable: &str) -> bool {
    match &expression.expr {
        Expr::Ident(name) => name == variable,
        Expr::Select(select) => !select.test && is_part_of(&select.operand, variable),
        _ => false,
    }
}
