//! No evaluation takes more than the bound that was told before it: every step is counted as the
//! interpreter takes it, of random expressions over records that are as large as they may be.

use std::sync::Arc;

use cel::{Context, IdedExpr, Value as Cel, common::ast::Expr};
use chrono::DateTime;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    Expression, Kind, Surroundings, functions, sizes,
    typing::{BYTES_A_STEP, cost},
    values,
};

/// What records may hold here.
fn schema() -> Value {
    let person = json!({
        "type": "object", "additionalProperties": false,
        "properties": { "name": { "type": "string", "maxLength": 9 }, "n": { "type": "integer" } },
    });
    json!({
        "type": "object", "additionalProperties": false,
        "properties": {
            "name": { "type": "string", "maxLength": 20 },
            "note": { "type": "string" },
            "n": { "type": "integer" },
            "items": { "type": "array", "maxItems": 30, "items": { "type": "string", "maxLength": 12 } },
            "people": { "type": "array", "maxItems": 20, "items": person },
            "long": { "type": "array", "items": { "type": "string" } },
        },
    })
}

/// A record as large as it may be, or of nothing.
fn record(is_full: bool) -> Value {
    if !is_full {
        return json!({ "name": "", "note": "", "n": 0, "items": [], "people": [], "long": [] });
    }
    json!({
        "name": "é".repeat(20), "note": "ab ".repeat(3_000), "n": 7,
        "items": vec!["ab"; 30], "people": vec![json!({ "name": "abcabcabc", "n": 1 }); 20],
        "long": vec!["b".repeat(90); 400],
    })
}

/// Writes an expression, as the bytes of a throw say; after them it takes what is largest.
struct Author<'a> {
    throw: std::slice::Iter<'a, u8>,
    /// How many walks are open: `x0`, `x1`.
    walks: usize,
}

impl Author<'_> {
    fn next(&mut self, ways: u8) -> u8 {
        self.throw.next().map_or(0, |byte| byte % ways)
    }

    fn text(&mut self, depth: u8) -> String {
        let ways = if depth == 0 { 4 } else { 11 };
        let (one, other) = (depth.saturating_sub(1), depth / 2);
        match self.next(ways) {
            0 => "record.note".to_owned(),
            1 => "'ab'".to_owned(),
            2 => "record.name".to_owned(),
            3 if self.walks > 0 => format!("x{}", self.walks - 1),
            3 => "record.name".to_owned(),
            4 => format!("({} + {})", self.text(one), self.text(other)),
            5 => {
                format!("({} ? {} : {})", self.truth(other), self.text(one), self.text(other))
            }
            6 => format!("{}.replace('a', {})", self.text(one), self.text(other)),
            7 => format!("{}.join({})", self.list(one), self.text(other)),
            8 => format!("{}.trim()", self.text(one)),
            9 => format!("string({})", self.number(one)),
            _ => format!("key({}, {})", self.text(one), self.number(other)),
        }
    }

    fn list(&mut self, depth: u8) -> String {
        let ways = if depth == 0 { 3 } else { 9 };
        let (one, other) = (depth.saturating_sub(1), depth / 2);
        match self.next(ways) {
            0 => "record.long".to_owned(),
            1 => "record.people.map(p, p.name)".to_owned(),
            2 => "record.items".to_owned(),
            3 => format!("[{}, {}]", self.text(one), self.text(other)),
            4 => format!("({} + {})", self.list(one), self.list(other)),
            5 | 6 => {
                let of = self.list(one);
                self.walk(&of, "map", |author| author.text(one))
            }
            7 => {
                let of = self.list(one);
                self.walk(&of, "filter", |author| author.truth(one))
            }
            _ => format!("({} ? {} : {})", self.truth(other), self.list(one), self.list(other)),
        }
    }

    fn truth(&mut self, depth: u8) -> String {
        let (one, other) = (depth.saturating_sub(1), depth / 2);
        match self.next(7) {
            0 => format!("{} == {}", self.text(one), self.text(other)),
            1 => format!("{}.contains({})", self.text(one), self.text(other)),
            2 => format!("{} in {}", self.text(other), self.list(one)),
            3 => format!("({} && !({}))", self.truth(other), self.truth(other)),
            4 => format!("{} < {}", self.number(one), self.number(other)),
            5 => format!("{} == {}", self.list(other), self.list(other)),
            _ => {
                let of = self.list(one);
                self.walk(&of, "all", |author| author.truth(one))
            }
        }
    }

    fn number(&mut self, depth: u8) -> String {
        match self.next(if depth == 0 { 1 } else { 4 }) {
            0 => "record.n".to_owned(),
            1 => format!("size({})", self.text(depth - 1)),
            2 => format!("size({})", self.list(depth - 1)),
            _ => format!("({} + {})", self.number(depth - 1), self.number(depth / 2)),
        }
    }

    fn walk(&mut self, of: &str, how: &str, body: impl FnOnce(&mut Self) -> String) -> String {
        let name = format!("x{}", self.walks);
        self.walks += 1;
        let body = body(self);
        self.walks -= 1;
        format!("{of}.{how}({name}, {body})")
    }
}

fn bytes(value: &Cel) -> u64 {
    match value {
        Cel::String(text) => text.len() as u64,
        Cel::List(items) => items.iter().map(bytes).sum(),
        Cel::Map(map) => map.map.values().map(bytes).sum(),
        _ => 8,
    }
}

/// Adds the steps of an expression and its parts; what cannot be worked out has no more.
fn count(part: &IdedExpr, context: &Context<'_, '_>, steps: &mut u64) -> Option<Cel> {
    *steps += 1;
    let value = || context.resolve(part).ok();
    match &part.expr {
        Expr::Select(select) => drop(count(&select.operand, context, steps)?),
        Expr::List(list) => {
            for item in &list.elements {
                count(item, context, steps)?;
            }
        }
        Expr::Call(call) => {
            let given = call.target.as_deref().into_iter().chain(&call.args);
            // Both ways of a choice are counted, so that one bound holds for either.
            let given: Vec<_> = given.map(|given| count(given, context, steps)).collect();
            let given: Vec<Cel> = given.into_iter().collect::<Option<_>>()?;
            *steps += work(&call.func_name, &given, &value()?);
        }
        Expr::Comprehension(walk) => {
            let Some(Cel::List(items)) = count(&walk.iter_range, context, steps) else {
                return None;
            };
            *steps += items.iter().map(bytes).sum::<u64>() / BYTES_A_STEP;
            let mut kept = count(&walk.accu_init, context, steps)?;
            let (mut appended, mut of_parts) = (0, false);
            for item in items.iter() {
                let mut inner = context.new_inner_scope();
                inner.add_variable_from_value(walk.iter_var.as_str(), item.clone());
                inner.add_variable_from_value(walk.accu_var.as_str(), kept.clone());
                if count(&walk.loop_cond, &inner, steps)? == Cel::Bool(false) {
                    break;
                }
                match sizes::appended(walk) {
                    Some((guard, item)) => {
                        guard.and_then(|guard| count(guard, &inner, steps));
                        let item_bytes = bytes(&count(item, &inner, steps)?);
                        of_parts = sizes::is_part_of(item, &walk.iter_var);
                        appended += item_bytes;
                        if !of_parts {
                            *steps += item_bytes / BYTES_A_STEP;
                        }
                    }
                    None => drop(count(&walk.loop_step, &inner, steps)),
                }
                kept = inner.resolve(&walk.loop_step).ok()?;
            }
            if of_parts {
                *steps += appended / BYTES_A_STEP;
            }
            let mut inner = context.new_inner_scope();
            inner.add_variable_from_value(walk.accu_var.as_str(), kept);
            count(&walk.result, &inner, steps)?;
        }
        _ => {}
    }
    value()
}

/// What an operator or a function reads, compares and copies.
fn work(name: &str, given: &[Cel], made: &Cel) -> u64 {
    let all: u64 = given.iter().map(bytes).sum();
    let least = given.iter().map(bytes).min().unwrap_or_default();
    match (name, given) {
        ("_&&_" | "_||_" | "!_" | "_?_:_" | "@not_strictly_false", _) => 0,
        ("_==_" | "_!=_" | "_<_" | "_<=_" | "_>_" | "_>=_", _) => least / BYTES_A_STEP,
        ("@in", [value, Cel::List(items)]) => {
            let of_each = items.iter().map(|item| bytes(item).min(bytes(value)));
            items.len() as u64 + of_each.sum::<u64>() / BYTES_A_STEP
        }
        ("_+_", [Cel::List(one), Cel::List(other)]) => {
            (one.len() + other.len()) as u64 + all / BYTES_A_STEP
        }
        ("_+_", [Cel::String(_), _]) => all / BYTES_A_STEP,
        ("_+_", _) => 0,
        _ => (all + bytes(made)) / BYTES_A_STEP,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_evaluation_exceeds_its_bound(
        throw in proptest::collection::vec(any::<u8>(), 2..16),
        depth in 1_u8..4,
        is_full in prop_oneof![9 => Just(true), 1 => Just(false)],
    ) {
        let mut author = Author { throw: throw.iter(), walks: 0 };
        let source = match author.next(3) {
            0 => author.text(depth),
            1 => author.list(depth),
            _ => author.truth(depth),
        };
        let over = Surroundings::anywhere(&Arc::default())
            .and("record", Kind::of_schema(&schema()).kind);
        // What could take too much is refused, which is the other half of the promise.
        if let Ok((expression, _)) = Expression::checked(&source, &over) {
            let root = functions::context(&Arc::default(), &Arc::default());
            let mut context = root.new_inner_scope();
            context.add_variable_from_value("record", values::from_json(&record(is_full)));
            let at = values::of_instant(DateTime::UNIX_EPOCH);
            context.add_variable_from_value(functions::ASKED_AT, at);
            let mut steps = 0;
            let tree = expression.tree().expect("it was read just now");
            let answer = count(tree, &context, &mut steps);
            steps += answer.map_or(0, |answer| bytes(&answer)) / BYTES_A_STEP;
            let bound = cost(tree, &over);
            prop_assert!(steps <= bound, "{} took {} of {}", source, steps, bound);
        }
    }
}
