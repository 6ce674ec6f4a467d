//! Whether an expression can hold at all: names, kinds and cost, checked over its tree.

use std::{collections::BTreeMap, sync::Arc};

use cel::{
    IdedExpr,
    common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, LiteralValue, SelectExpr},
};

use super::{
    functions,
    kind::{Bounded, Kind},
    signature,
    sizes::{appended, either, is_part_of, made, sum},
    surroundings::Surroundings,
};
use crate::flaw::instead;

/// What one evaluation may cost, in steps of the interpreter: a third of a second at the worst. One
/// walk through a list that fills a record is allowed, and no walk within it.
const COST_LIMIT: u64 = 4_000_000;
/// Bytes that are read, compared or copied at the price of one step.
pub(super) const BYTES_A_STEP: u64 = 64;
/// What it takes to append to a list, beside the item itself.
const APPEND_STEPS: u64 = 5;

/// A fault of an expression: the id of the part that has it, and a sentence.
pub(super) type Told = (u64, String);

/// What the expression gives, and every fault that it has.
pub(super) fn check(expression: &IdedExpr, surroundings: &Surroundings) -> (Kind, Vec<Told>) {
    let (found, mut typing) = typed(expression, surroundings);
    if typing.cost > COST_LIMIT {
        let message = format!(
            "it could take {} steps, and {COST_LIMIT} are allowed: give the lists and texts \
             that it walks a `maxItems` or `maxLength`",
            typing.cost
        );
        typing.faults.push((expression.id, message));
    }
    (found.kind, typing.faults)
}

/// What the expression may cost at most, in steps of the interpreter.
#[cfg(test)]
pub(super) fn cost(expression: &IdedExpr, surroundings: &Surroundings) -> u64 {
    typed(expression, surroundings).1.cost
}

fn typed<'a>(expression: &IdedExpr, surroundings: &'a Surroundings) -> (Bounded, Typing<'a>) {
    let mut typing =
        Typing { surroundings, bound: Vec::new(), faults: Vec::new(), cost: 0, times: 1 };
    let found = typing.kind_of(expression);
    // The answer is copied out.
    typing.spend(found.bytes / BYTES_A_STEP);
    (found, typing)
}

struct Typing<'a> {
    surroundings: &'a Surroundings,
    /// Variables of comprehensions.
    bound: Vec<(String, Bounded)>,
    faults: Vec<Told>,
    cost: u64,
    /// How often the present part is asked.
    times: u64,
}

impl Typing<'_> {
    fn tell(&mut self, at: &IdedExpr, message: impl Into<String>) {
        self.faults.push((at.id, message.into()));
    }

    fn spend(&mut self, steps: u64) {
        self.cost = self.cost.saturating_add(self.times.saturating_mul(steps));
    }

    fn kind_of(&mut self, expression: &IdedExpr) -> Bounded {
        self.spend(1);
        match &expression.expr {
            Expr::Literal(literal) => of_literal(literal),
            Expr::Ident(name) => self.variable(expression, name),
            Expr::Select(select) => self.select(expression, select),
            Expr::Call(call) => self.call(expression, call),
            Expr::List(list) => {
                let items = list.elements.iter().map(|item| self.kind_of(item));
                let items: Vec<Bounded> = items.collect();
                let size = items.len() as u64;
                let bytes = sum(items.iter().map(|item| item.bytes));
                let item = items.into_iter().reduce(either).unwrap_or(Bounded::any(0));
                Bounded { kind: Kind::List(Arc::new(item)), size, bytes }
            }
            Expr::Map(map) => {
                let (mut members, mut bytes) = (BTreeMap::new(), 0_u64);
                for entry in &map.entries {
                    let EntryExpr::MapEntry(entry) = &entry.expr else { continue };
                    let key = self.kind_of(&entry.key);
                    let value = self.kind_of(&entry.value);
                    bytes = bytes.saturating_add(key.bytes).saturating_add(value.bytes);
                    if let Expr::Literal(LiteralValue::String(key)) = &entry.key.expr {
                        members.insert(key.inner().to_owned(), value);
                    }
                }
                let size = map.entries.len() as u64;
                let kind = Kind::Map { members: Arc::new(members), is_open: true };
                Bounded { kind, size, bytes }
            }
            Expr::Comprehension(inner) => self.comprehension(inner),
            Expr::Struct(_) | Expr::Unspecified => {
                self.tell(expression, "there are no messages here, only JSON");
                Bounded::new(Kind::Any)
            }
        }
    }

    fn variable(&mut self, expression: &IdedExpr, name: &str) -> Bounded {
        if let Some((_, kind)) = self.bound.iter().rev().find(|(bound, _)| bound == name) {
            return kind.clone();
        }
        if let Some(kind) = self.surroundings.variables.get(name) {
            return kind.clone();
        }
        let message = if super::SCOPE.contains(&name) {
            let here: Vec<_> = self.surroundings.variables.keys().copied().collect();
            format!("`{name}` is not known here; known is {}", here.join(", "))
        } else {
            let near = instead(name, self.surroundings.variables.keys().copied());
            format!("`{name}` is no variable{near}")
        };
        self.tell(expression, message);
        Bounded::new(Kind::Any)
    }

    fn select(&mut self, expression: &IdedExpr, select: &SelectExpr) -> Bounded {
        let of = self.kind_of(&select.operand);
        let found = match &of.kind {
            Kind::Map { members, is_open } => match members.get(&select.field) {
                Some(member) => member.clone(),
                None if *is_open => Bounded::any(of.bytes),
                None => {
                    let near = instead(&select.field, members.keys().map(String::as_str));
                    let whole = match &select.operand.expr {
                        Expr::Ident(name) => format!("{name}."),
                        _ => String::new(),
                    };
                    let message = format!("`{whole}{}` is no field{near}", select.field);
                    self.tell(expression, message);
                    Bounded::new(Kind::Any)
                }
            },
            Kind::Any | Kind::Null => Bounded::any(of.bytes),
            other => {
                let message = format!("{other} has no field `{}`", select.field);
                self.tell(expression, message);
                Bounded::new(Kind::Any)
            }
        };
        if select.test { Bounded::new(Kind::Bool) } else { found }
    }

    fn comprehension(&mut self, inner: &ComprehensionExpr) -> Bounded {
        let range = self.kind_of(&inner.iter_range);
        let item = match &range.kind {
            Kind::List(item) => item.as_ref().clone(),
            Kind::Map { .. } => Bounded::text(range.bytes),
            Kind::Any | Kind::Null => Bounded::any(range.bytes),
            other => {
                let message = format!("{other} has no items to walk");
                self.tell(&inner.iter_range, message);
                Bounded::new(Kind::Any)
            }
        };
        // Each item is copied once.
        self.spend(range.bytes / BYTES_A_STEP);
        let start = self.kind_of(&inner.accu_init);
        let (outside, times) = (self.bound.len(), self.times);
        self.times = times.saturating_mul(range.size.max(1));
        self.bound.push((inner.iter_var.clone(), item.clone()));
        if let Some(second) = &inner.iter_var2 {
            self.bound.push((second.clone(), Bounded::any(item.bytes)));
        }
        self.bound.push((inner.accu_var.clone(), start));
        self.kind_of(&inner.loop_cond);
        let found = self.walked(inner, &range, times);
        self.times = times;
        self.kind_of(&inner.result);
        self.bound.truncate(outside);
        found
    }

    /// What a walk gives; `times` is how often the whole walk is asked.
    fn walked(&mut self, inner: &ComprehensionExpr, range: &Bounded, times: u64) -> Bounded {
        let Some((guard, item)) = appended(inner) else { return self.kind_of(&inner.loop_step) };
        if let Some(guard) = guard {
            let found = self.kind_of(guard);
            self.condition(guard, &found);
        }
        let found = self.kind_of(item);
        self.spend(APPEND_STEPS);
        let each = self.times;
        let bytes = if is_part_of(item, &inner.iter_var) {
            // Parts of all items are no more than the items.
            self.times = times;
            self.spend(range.bytes / BYTES_A_STEP);
            range.bytes
        } else {
            self.spend(found.bytes / BYTES_A_STEP);
            found.bytes.saturating_mul(range.size)
        };
        self.times = each;
        Bounded { kind: Kind::List(Arc::new(found)), size: range.size, bytes }
    }

    fn condition(&mut self, at: &IdedExpr, found: &Bounded) {
        if !found.kind.may_be(&Kind::Bool) {
            self.tell(at, format!("this is {}, not a condition", found.kind));
        }
    }

    fn call(&mut self, expression: &IdedExpr, call: &CallExpr) -> Bounded {
        let name = call.func_name.as_str();
        let surroundings = self.surroundings;
        if !functions::is_known(name) && !surroundings.functions.contains_key(name) {
            let ours = surroundings.functions.keys().map(String::as_str);
            let near = instead(name, functions::names().chain(ours));
            self.tell(expression, format!("`{name}` is no function{near}"));
        }
        let target = call.target.as_ref().map(|target| self.kind_of(target));
        let given: Vec<Bounded> = call.args.iter().map(|given| self.kind_of(given)).collect();
        let all: Vec<&Bounded> = target.iter().chain(&given).collect();
        if let Some(found) = surroundings.functions.get(name) {
            self.spend(signature::CALCULATION_STEPS);
            return found.clone();
        }
        match name {
            "_&&_" | "_||_" | "!_" => {
                for (part, found) in call.args.iter().zip(&given) {
                    self.condition(part, found);
                }
                Bounded::new(Kind::Bool)
            }
            "@not_strictly_false" => Bounded::new(Kind::Bool),
            "_?_:_" => self.choice(call, &given),
            "_==_" | "_!=_" => {
                if let [one, other] = all.as_slice() {
                    self.equal(expression, call, one, other);
                }
                Bounded::new(Kind::Bool)
            }
            "_<_" | "_<=_" | "_>_" | "_>=_" => {
                if let [one, other] = all.as_slice() {
                    self.spend(one.bytes.min(other.bytes) / BYTES_A_STEP);
                    if !one.kind.may_be(&other.kind) {
                        self.differ(expression, &one.kind, &other.kind, "compares");
                    }
                }
                Bounded::new(Kind::Bool)
            }
            "@in" => self.within(call, &given),
            "_+_" | "_-_" | "_*_" | "_/_" | "_%_" => self.arithmetic(expression, name, &all),
            "_[_]" => match all.first() {
                Some(Bounded { kind: Kind::List(item), .. }) => item.as_ref().clone(),
                of => Bounded::any(of.map_or(0, |of| of.bytes)),
            },
            _ => self.function(expression, call, &all),
        }
    }

    fn choice(&mut self, call: &CallExpr, given: &[Bounded]) -> Bounded {
        let ([condition, one, other], Some(at)) = (given, call.args.first()) else {
            return Bounded::new(Kind::Any);
        };
        self.condition(at, condition);
        either(one.clone(), other.clone())
    }

    fn equal(&mut self, at: &IdedExpr, call: &CallExpr, one: &Bounded, other: &Bounded) {
        self.spend(one.bytes.min(other.bytes) / BYTES_A_STEP);
        if !one.kind.may_be(&other.kind) {
            self.differ(at, &one.kind, &other.kind, "compares");
            return;
        }
        for (words, literal) in [(one, call.args.get(1)), (other, call.args.first())] {
            if let (Kind::Text(Some(words)), Some(literal)) = (&words.kind, literal) {
                self.word(words, literal);
            }
        }
    }

    /// A literal must be one of the words that there are.
    fn word(&mut self, words: &[String], literal: &IdedExpr) {
        if let Expr::Literal(LiteralValue::String(text)) = &literal.expr
            && !words.iter().any(|word| word == text.inner())
        {
            let near = instead(text.inner(), words.iter().map(String::as_str));
            self.tell(literal, format!("'{}' is never the value{near}", text.inner()));
        }
    }

    fn within(&mut self, call: &CallExpr, given: &[Bounded]) -> Bounded {
        if let ([value, list], [_, written]) = (given, call.args.as_slice()) {
            let compared = list.bytes.min(list.size.saturating_mul(value.bytes));
            self.spend(list.size.saturating_add(compared / BYTES_A_STEP));
            match &list.kind {
                Kind::Any | Kind::Null | Kind::Map { .. } => {}
                Kind::List(item) if item.kind.may_be(&value.kind) => {
                    if let (Kind::Text(Some(words)), Expr::List(list)) =
                        (&value.kind, &written.expr)
                    {
                        list.elements.iter().for_each(|element| self.word(words, element));
                    }
                }
                Kind::List(item) => self.differ(written, &value.kind, &item.kind, "compares"),
                other => {
                    let message = format!("`in` asks a list or a map, not {other}");
                    self.tell(written, message);
                }
            }
        }
        Bounded::new(Kind::Bool)
    }

    fn arithmetic(&mut self, at: &IdedExpr, operator: &str, all: &[&Bounded]) -> Bounded {
        let [one, other] = all else { return Bounded::new(Kind::Any) };
        let (size, bytes) =
            (one.size.saturating_add(other.size), one.bytes.saturating_add(other.bytes));
        let found = match (operator, &one.kind, &other.kind) {
            (_, Kind::Any | Kind::Null, _) | (_, _, Kind::Any | Kind::Null) => Some(Kind::Any),
            (_, Kind::Integer, Kind::Integer) => Some(Kind::Integer),
            (_, Kind::Integer | Kind::Number, Kind::Integer | Kind::Number) => Some(Kind::Number),
            ("_+_", Kind::Text(_), Kind::Text(_)) => Some(Kind::TEXT),
            ("_+_", Kind::List(a), Kind::List(b)) => {
                Some(Kind::List(Arc::new(either(a.as_ref().clone(), b.as_ref().clone()))))
            }
            ("_+_", Kind::Instant, Kind::Duration) | ("_+_", Kind::Duration, Kind::Instant) => {
                Some(Kind::Instant)
            }
            ("_-_", Kind::Instant, Kind::Duration) => Some(Kind::Instant),
            ("_-_", Kind::Instant, Kind::Instant) => Some(Kind::Duration),
            ("_+_" | "_-_", Kind::Duration, Kind::Duration) => Some(Kind::Duration),
            _ => None,
        };
        let Some(kind) = found else {
            let symbol = operator.trim_matches('_');
            self.differ(at, &one.kind, &other.kind, &format!("`{symbol}` joins"));
            return Bounded::new(Kind::Any);
        };
        if !matches!(kind, Kind::Any | Kind::Text(_) | Kind::List(_)) {
            return Bounded::new(kind);
        }
        let items = if matches!(kind, Kind::Text(_)) { 0 } else { size };
        self.spend(items.saturating_add(bytes / BYTES_A_STEP));
        Bounded { kind, size, bytes }
    }

    fn differ(&mut self, at: &IdedExpr, one: &Kind, other: &Kind, what: &str) {
        let hint = match (one, other) {
            (Kind::Instant, Kind::Text(_)) | (Kind::Text(_), Kind::Instant) => {
                ": `timestamp(…)` makes an instant of a text"
            }
            (Kind::Duration, Kind::Text(_)) | (Kind::Text(_), Kind::Duration) => {
                ": `span(…)` makes a duration of a text"
            }
            (Kind::Text(_), _) | (_, Kind::Text(_)) if what.starts_with('`') => {
                ": `string(…)` makes a text"
            }
            _ => "",
        };
        self.tell(at, format!("{what} {one} with {other}{hint}"));
    }

    fn function(&mut self, at: &IdedExpr, call: &CallExpr, all: &[&Bounded]) -> Bounded {
        let Some(signature) = signature::signature(&call.func_name) else {
            return Bounded::new(Kind::Any);
        };
        let read = sum(all.iter().map(|given| given.bytes));
        let made = made(&call.func_name, all, read);
        self.spend(signature.steps.saturating_add(read.saturating_add(made) / BYTES_A_STEP));
        if !(signature.least..=signature.most).contains(&all.len()) {
            let message = format!("`{}` takes other arguments: {}", call.func_name, signature.told);
            self.tell(at, message);
        } else if let Some(first) = all.first()
            && !signature.of.iter().any(|kind| kind.may_be(&first.kind))
        {
            let message =
                format!("`{}` is not asked of {}: {}", call.func_name, first.kind, signature.told);
            self.tell(at, message);
        }
        if call.func_name == "matches"
            && !call.args.iter().all(|pattern| matches!(pattern.expr, Expr::Literal(_)))
        {
            self.tell(at, "the pattern of `matches` is written out, not worked out");
        }
        match signature.gives {
            Kind::Any => Bounded::any(made.max(Bounded::new(Kind::Any).bytes)),
            Kind::Text(None) => Bounded::text(made),
            gives => Bounded::new(gives),
        }
    }
}

fn of_literal(literal: &LiteralValue) -> Bounded {
    let kind = match literal {
        LiteralValue::Boolean(_) => Kind::Bool,
        LiteralValue::Int(_) | LiteralValue::UInt(_) => Kind::Integer,
        LiteralValue::Double(_) => Kind::Number,
        LiteralValue::Null => Kind::Null,
        LiteralValue::String(text) => {
            return Bounded::new(Kind::Text(Some(Arc::new([text.inner().to_owned()]))));
        }
        LiteralValue::Bytes(_) => Kind::Any,
    };
    Bounded::new(kind)
}
