//! The past of a transition's name, which is what its event is called: `resolve` to `resolved`.

/// Verbs of a desk that have a past of their own; `re`, `un` and their like may stand before them.
const IRREGULAR: [(&str, &str); 48] = [
    ("be", "been"),
    ("begin", "begun"),
    ("bid", "bid"),
    ("break", "broken"),
    ("bring", "brought"),
    ("build", "built"),
    ("buy", "bought"),
    ("catch", "caught"),
    ("choose", "chosen"),
    ("come", "come"),
    ("cut", "cut"),
    ("do", "done"),
    ("draw", "drawn"),
    ("fall", "fallen"),
    ("find", "found"),
    ("forget", "forgotten"),
    ("freeze", "frozen"),
    ("get", "got"),
    ("give", "given"),
    ("go", "gone"),
    ("grow", "grown"),
    ("hear", "heard"),
    ("hold", "held"),
    ("keep", "kept"),
    ("know", "known"),
    ("lead", "led"),
    ("leave", "left"),
    ("let", "let"),
    ("lose", "lost"),
    ("make", "made"),
    ("meet", "met"),
    ("pay", "paid"),
    ("put", "put"),
    ("read", "read"),
    ("ride", "ridden"),
    ("rise", "risen"),
    ("run", "run"),
    ("see", "seen"),
    ("sell", "sold"),
    ("send", "sent"),
    ("set", "set"),
    ("shut", "shut"),
    ("speak", "spoken"),
    ("spend", "spent"),
    ("take", "taken"),
    ("teach", "taught"),
    ("tell", "told"),
    ("write", "written"),
];
const PREFIXES: [&str; 7] = ["", "re", "un", "over", "out", "under", "with"];
/// Ends of longer verbs whose last letter is written twice: those whose last syllable is spoken loud, and
/// those in `l`.
const DOUBLED: [&str; 5] = ["mit", "fer", "cur", "quip", "l"];
const NOT_DOUBLED: [&str; 5] = ["limit", "offer", "suffer", "differ", "buffer"];

/// The past participle; of several words that of the first: `mark_ready` to `marked_ready`. What is
/// neither regular nor known here is written in the definition: `says: forbidden`.
pub(super) fn past(name: &str) -> String {
    match name.split_once('_') {
        Some((verb, rest)) => format!("{}_{rest}", past_of(verb)),
        None => past_of(name),
    }
}

fn past_of(verb: &str) -> String {
    for prefix in PREFIXES {
        let rest = verb.strip_prefix(prefix).unwrap_or_default();
        if let Some((_, past)) = IRREGULAR.iter().find(|(known, _)| *known == rest) {
            return format!("{prefix}{past}");
        }
    }
    match verb.strip_suffix('y') {
        Some(stem) if !stem.ends_with(VOWELS) => return format!("{stem}ied"),
        _ if verb.ends_with('e') => return format!("{verb}d"),
        _ => {}
    }
    match verb.chars().last() {
        Some(last) if doubles(verb) => format!("{verb}{last}ed"),
        _ => format!("{verb}ed"),
    }
}

const VOWELS: [char; 5] = ['a', 'e', 'i', 'o', 'u'];

/// Whether the last letter is written twice: `stop`, `submit`, and not `open`, `fail`, `fix`.
fn doubles(verb: &str) -> bool {
    let letters: Vec<char> = verb.chars().collect();
    let [.., before, vowel, last] = letters.as_slice() else { return false };
    let is_short = VOWELS.contains(vowel)
        && !VOWELS.contains(last)
        && !['w', 'x', 'y', 'h'].contains(last)
        && (!VOWELS.contains(before) || verb.ends_with("quip"));
    // Letters that sound together make one syllable: `quit` has one, `edit` two.
    let syllables =
        letters.windows(2).filter(|pair| VOWELS.contains(&pair[0]) && !VOWELS.contains(&pair[1]));
    let is_loud = syllables.count() == 1
        || DOUBLED.iter().any(|end| verb.ends_with(end)) && !NOT_DOUBLED.contains(&verb);
    is_short && is_loud
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_called_as_people_call_it() {
        let check = |name, expected| assert_eq!(past(name), expected);
        for (name, expected) in [
            ("resolve", "resolved"),
            ("retry", "retried"),
            ("delay", "delayed"),
            ("submit", "submitted"),
            ("stop", "stopped"),
            ("plan", "planned"),
            ("drop", "dropped"),
            ("log", "logged"),
            ("cancel", "cancelled"),
            ("refer", "referred"),
            ("occur", "occurred"),
            ("equip", "equipped"),
            ("control", "controlled"),
            ("open", "opened"),
            ("offer", "offered"),
            ("audit", "audited"),
            ("limit", "limited"),
            ("develop", "developed"),
            ("review", "reviewed"),
            ("fix", "fixed"),
            ("fail", "failed"),
            ("explain", "explained"),
            ("repeat", "repeated"),
            ("relay", "relayed"),
            ("suspend", "suspended"),
            ("append", "appended"),
            ("hold", "held"),
            ("withhold", "withheld"),
            ("rebuild", "rebuilt"),
            ("undo", "undone"),
            ("overrun", "overrun"),
            ("override", "overridden"),
            ("withdraw", "withdrawn"),
            ("mark_ready", "marked_ready"),
            ("break_glass", "broken_glass"),
        ] {
            check(name, expected);
        }
    }
}
