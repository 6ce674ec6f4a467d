//! A process indexes no more fields than the store has columns for.

use crate::{
    IndexKind,
    definition::Field,
    flaw::Flaws,
    yaml::{Entry, Mark},
};

/// What the engine keeps by itself takes its column first: nobody could leave that out.
pub(crate) fn indexes(properties: &[Entry], fields: &[Field], flaws: &mut Flaws) {
    let place = |field: &Field| -> Option<Mark> {
        properties.iter().find(|entry| entry.key == field.name).map(|entry| entry.at)
    };
    for kind in [IndexKind::Text, IndexKind::Number, IndexKind::Time] {
        let indexed = || fields.iter().filter(|field| field.index == Some(kind));
        let kept = indexed().filter(|field| place(field).is_none()).count();
        let beyond = indexed().filter_map(|field| Some((field, place(field)?)));
        for (field, at) in beyond.skip(kind.columns().saturating_sub(kept)) {
            let message = format!(
                "a process has at most {} indexes of the kind {}, and `{}` is one too many",
                kind.columns(),
                kind.word(),
                field.name
            );
            flaws.add(at, "too_large", message);
        }
    }
}
