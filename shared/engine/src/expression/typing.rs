//! Whether an expression can hold at all: names, kinds and cost, checked over its tree.

use std::{collections::BTreeMap, sync::Arc};

use cel::{
    IdedExpr,
    common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, LiteralValue, SelectExpr},
};

use super::{
    functions,
    kind::{Bounded, Kind, UNBOUNDED},
    signature,
    surroundings::Surroundings,
};
use crate::flaw::instead;

/// What one evaluation may cost, in steps of the interpreter: a third of a second at the worst. One
/// walk through a list that fills a record is allowed, and no walk within it.
const COST_LIMIT: u64 = 4_000_000;
/// Bytes of a text that are as dear as one step.
const BYTES_A_STEP: u64 = 64;

/// A fault of an expression: the id of the part that has it, and a sentence.
pub(super) type Told = (u64, String);

/// What the expression gives, and every fault that it has.
pub(super) fn check(expression: &IdedExpr, surroundings: &Surroundings) -> (Kind, Vec<Told>) {
    let mut typing =
        Typing { surroundings, bound: Vec::new(), faults: Vec::new(), cost: 0, times: 1 };
    let found = typing.kind_of(expression);
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
                let item = items.into_iter().reduce(|one, other| Bounded {
                    size: one.size.max(other.size),
                    kind: one.kind.or(other.kind),
                });
                let item = item.unwrap_or(Bounded { kind: Kind::Any, size: 1 });
                Bounded { kind: Kind::List(Arc::new(item)), size }
            }
            Expr::Map(map) => {
                let mut members = BTreeMap::new();
                for entry in &map.entries {
                    let EntryExpr::MapEntry(entry) = &entry.expr else { continue };
                    self.kind_of(&entry.key);
                    let value = self.kind_of(&entry.value);
                    if let Expr::Literal(LiteralValue::String(key)) = &entry.key.expr {
                        members.insert(key.inner().to_owned(), value);
                    }
                }
                let size = map.entries.len() as u64;
                let kind = Kind::Map { members: Arc::new(members), is_open: true };
                Bounded { kind, size }
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
                None if *is_open => Bounded::new(Kind::Any),
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
            Kind::Any | Kind::Null => Bounded { kind: Kind::Any, size: of.size },
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
            Kind::Map { .. } => Bounded::new(Kind::TEXT),
            Kind::Any | Kind::Null => Bounded { kind: Kind::Any, size: range.size },
            other => {
                let message = format!("{other} has no items to walk");
                self.tell(&inner.iter_range, message);
                Bounded::new(Kind::Any)
            }
        };
        let start = self.kind_of(&inner.accu_init);
        let kept = match start.kind {
            // Of `map` and `filter`: at most as many as there are.
            Kind::List(_) => {
                let item = Arc::new(Bounded { kind: Kind::Any, size: item.size });
                Bounded { kind: Kind::List(item), size: range.size }
            }
            _ => start,
        };
        let (outside, times) = (self.bound.len(), self.times);
        self.times = times.saturating_mul(range.size.max(1));
        self.bound.push((inner.iter_var.clone(), item.clone()));
        if let Some(second) = &inner.iter_var2 {
            self.bound.push((second.clone(), Bounded { kind: Kind::Any, size: item.size }));
        }
        self.bound.push((inner.accu_var.clone(), kept.clone()));
        // The interpreter's own steps beside what the author wrote cost little: the condition that
        // ends the walk and the accumulation.
        self.kind_of(&inner.loop_cond);
        let step = self.kind_of(&inner.loop_step);
        self.times = times;
        let result = self.kind_of(&inner.result);
        self.bound.truncate(outside);
        match (result.kind, step.kind) {
            (Kind::List(_), Kind::List(item)) => {
                Bounded { kind: Kind::List(item), size: range.size }
            }
            (kind, _) => Bounded { kind, size: result.size },
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
                    if !found.kind.may_be(&Kind::Bool) {
                        let message = format!("this is {}, not a condition", found.kind);
                        self.tell(part, message);
                    }
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
                    self.spend(one.size.min(other.size) / BYTES_A_STEP);
                    if !one.kind.may_be(&other.kind) {
                        self.differ(expression, &one.kind, &other.kind, "compares");
                    }
                }
                Bounded::new(Kind::Bool)
            }
            "@in" => self.within(call, &given),
            "_+_" | "_-_" | "_*_" | "_/_" | "_%_" => self.arithmetic(expression, name, &all),
            "_[_]" => match all.first().map(|of| &of.kind) {
                Some(Kind::List(item)) => item.as_ref().clone(),
                _ => Bounded::new(Kind::Any),
            },
            _ => self.function(expression, call, &all),
        }
    }

    fn choice(&mut self, call: &CallExpr, given: &[Bounded]) -> Bounded {
        let ([condition, one, other], Some(at)) = (given, call.args.first()) else {
            return Bounded::new(Kind::Any);
        };
        if !condition.kind.may_be(&Kind::Bool) {
            self.tell(at, format!("this is {}, not a condition", condition.kind));
        }
        let size = one.size.max(other.size);
        Bounded { kind: one.kind.clone().or(other.kind.clone()), size }
    }

    fn equal(&mut self, at: &IdedExpr, call: &CallExpr, one: &Bounded, other: &Bounded) {
        self.spend(one.size.min(other.size) / BYTES_A_STEP);
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
            self.spend(list.size);
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
        let size = one.size.saturating_add(other.size);
        let found = match (operator, &one.kind, &other.kind) {
            (_, Kind::Any | Kind::Null, _) | (_, _, Kind::Any | Kind::Null) => Some(Kind::Any),
            (_, Kind::Integer, Kind::Integer) => Some(Kind::Integer),
            (_, Kind::Integer | Kind::Number, Kind::Integer | Kind::Number) => Some(Kind::Number),
            ("_+_", Kind::Text(_), Kind::Text(_)) => Some(Kind::TEXT),
            ("_+_", Kind::List(a), Kind::List(b)) => {
                let kind = a.kind.clone().or(b.kind.clone());
                let item = Bounded { kind, size: a.size.max(b.size) };
                Some(Kind::List(Arc::new(item)))
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
        let is_number = matches!(kind, Kind::Integer | Kind::Number | Kind::Instant);
        if !is_number {
            self.spend(size / BYTES_A_STEP);
        }
        Bounded { size: if is_number { 1 } else { size.min(UNBOUNDED) }, kind }
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
        let size = all.iter().map(|given| given.size).fold(0, u64::saturating_add);
        self.spend(signature.steps.saturating_add(size / BYTES_A_STEP));
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
        Bounded::new(signature.gives)
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
