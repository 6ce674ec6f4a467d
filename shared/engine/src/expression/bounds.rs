//! How large and how deep an expression may be, seen before anything walks it: parser, checks and
//! interpreter go down its tree, and a tree without bound would end their stack.

/// Longer expressions belong into a scheme, or into several fields.
const LENGTH_LIMIT: usize = 2_000;
/// Operators, dots and commas: each may be one step down.
const SYMBOL_LIMIT: usize = 80;
/// Brackets within brackets, choices within choices, and signs before signs (`!!x`).
const DEPTH_LIMIT: usize = 12;

/// A sentence when the source goes beyond a bound.
pub(super) fn check(source: &str) -> Result<(), String> {
    if source.len() > LENGTH_LIMIT {
        return Err(format!("an expression of {} bytes exceeds {LENGTH_LIMIT}", source.len()));
    }
    let (mut symbols, mut choices, mut depth, mut deepest) = (0, 0, 0_usize, 0);
    let mut signs = 0;
    let mut quote = None;
    let mut is_escaped = false;
    for symbol in source.chars() {
        signs = if matches!(symbol, '!' | '-') { signs + 1 } else { 0 };
        deepest = deepest.max(signs);
        match (quote, symbol) {
            (Some(_), _) if is_escaped => is_escaped = false,
            (Some(_), '\\') => is_escaped = true,
            (Some(open), close) if open == close => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(symbol),
            (None, '(' | '[' | '{') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, '?') => choices += 1,
            (None, symbol) if symbol.is_ascii_punctuation() && symbol != '_' => symbols += 1,
            (None, _) => {}
        }
    }
    if deepest.max(choices) > DEPTH_LIMIT {
        return Err(format!("it nests brackets, choices or signs deeper than {DEPTH_LIMIT}"));
    }
    if symbols > SYMBOL_LIMIT {
        return Err(format!(
            "it has {symbols} operators, dots and commas; {SYMBOL_LIMIT} are allowed"
        ));
    }
    Ok(())
}
