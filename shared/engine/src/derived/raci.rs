//! Who does, answers for, is asked about and is told of each step: the RACI matrix.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    Definition, Expression,
    definition::{Audience, Role},
};

/// How a token of an audience begins that names a role.
const TOKEN: &str = "role:";

/// The matrix of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Raci {
    pub process: String,
    pub roles: Vec<String>,
    pub rows: Vec<Duty>,
}

/// One step, and what each role has to do with it: `R` takes it or votes on it, `A` answers for the
/// process, `C` may comment, `I` sees the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Duty {
    /// The transition; `open` for the opening.
    pub step: String,
    /// The states that offer it.
    pub states: Vec<String>,
    /// Role to its letters, `AR` for who answers and takes.
    pub roles: BTreeMap<String, String>,
}

impl Definition {
    /// The RACI matrix, a row a step in the order of the file.
    #[must_use]
    pub fn raci(&self) -> Raci {
        let mut rows = vec![self.duty("open", Vec::new(), &self.may.open)];
        for (state, transition) in self.all_transitions() {
            if let Some(row) = rows.iter_mut().find(|row| row.step == transition.name) {
                row.states.push(state.to_owned());
                continue;
            }
            let voters = transition.vote.iter().flat_map(|vote| &vote.of);
            let doers: Vec<String> = transition.by.iter().chain(voters).cloned().collect();
            rows.push(self.duty(&transition.name, vec![state.to_owned()], &doers));
        }
        let roles = self.roles.iter().map(|role| role.name.clone()).collect();
        Raci { process: self.process.clone(), roles, rows }
    }

    fn duty(&self, step: &str, states: Vec<String>, doers: &[String]) -> Duty {
        let mut roles = BTreeMap::new();
        for role in &self.roles {
            let mut letters = String::new();
            if role.accountable {
                letters.push('A');
            }
            if doers.contains(&role.name) {
                letters.push('R');
            }
            if letters.is_empty() && self.may.comment.contains(&role.name) {
                letters.push('C');
            }
            if letters.is_empty() && self.is_shown_to(role) {
                letters.push('I');
            }
            if !letters.is_empty() {
                roles.insert(role.name.clone(), letters);
            }
        }
        Duty { step: step.to_owned(), states, roles }
    }

    /// Whether who has the role sees records, at least some of them: the audience names it, may name it,
    /// or names the same person as the role.
    fn is_shown_to(&self, role: &Role) -> bool {
        let is = role.is.as_ref().map(Expression::source);
        self.audience.iter().any(|audience| match audience {
            Audience::Token(token) => token.strip_prefix(TOKEN) == Some(&role.name),
            Audience::Of { kind, value } => {
                let names = |text: &String| match text.strip_prefix(TOKEN) {
                    Some(name) => name == role.name,
                    None => kind == "role" && *text == role.name,
                };
                is == Some(value.source()) || value.names().texts.iter().any(names)
            }
        })
    }
}
