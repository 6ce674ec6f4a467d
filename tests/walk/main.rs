//! The walk: every definition through every transition and every refusal that its roles and guards
//! name. The ways are worked out in memory by the engine's own `decide`; then the platform is held to them.

mod arrange;
mod book;
mod cast;
mod elsewhere;
mod goals;
mod guess;
mod plan;
mod replay;
mod search;
mod world;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use acceptance::{Options, Platform};
use serde_json::Map;

use self::{
    arrange::Arranger,
    book::{Book, Process},
    cast::Cast,
    elsewhere::Elsewhere,
    goals::Goal,
    plan::{Ground, Tree},
    replay::Stage,
    search::{Manner, Search},
};

/// When it begins: a Monday morning.
const BEGAN: &str = "2026-03-02T09:00:00Z";
/// Looks at what events do; the second builds on what the first found.
const ROUNDS: usize = 2;

/// Proves: PLT-4
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_definition_is_walked_through_every_transition_and_refusal() {
    let book = Book::read();
    let cast = Cast::of(&book);
    let began = BEGAN.parse().expect("an instant");
    let elsewhere = Elsewhere::read();
    let others = elsewhere.goals(&goals::all(&book));
    let ground = Ground { book: &book, cast: &cast, began, elsewhere: &others };
    let trees = planned(&ground);

    let platform =
        Platform::up(Options::default().with(&["--clock", &format!("manual:{BEGAN}")])).await;
    let doors = cast.make(platform.door()).await;
    let mut left = goals::all(&book);
    let mut chosen = Vec::new();
    // What a process's own tree shows is shown there.
    for (name, tree) in &trees {
        let own: BTreeSet<Goal> = left
            .iter()
            .filter(|goal| goal.place().0 == name && tree.met.contains_key(goal))
            .cloned()
            .collect();
        left = &left - &own;
        chosen.push((tree, own));
    }
    for (tree, own) in &mut chosen {
        let beside: BTreeSet<Goal> =
            left.iter().filter(|goal| tree.met.contains_key(goal)).cloned().collect();
        left = &left - &beside;
        own.extend(beside);
    }
    let mut stage = Stage { platform: &platform, book: &book, doors, now: began };
    let mut faults = stage.play(&chosen).await;
    let definitions = trees.values().flat_map(|tree| &tree.faults);
    faults.extend(definitions.collect::<BTreeSet<_>>().into_iter().cloned());
    faults.extend(elsewhere.faults(&left));
    let left = &left - &others;
    let why = |goal: &Goal| {
        trees.values().find_map(|tree| tree.last.get(goal)).cloned().unwrap_or_default()
    };
    faults.extend(left.iter().map(|goal| format!("not shown: {goal}: {}", why(goal))));
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

/// The trees of all processes: first what people and time do with each, then what events do.
fn planned(ground: &Ground<'_>) -> BTreeMap<String, Tree> {
    let mut trees = BTreeMap::new();
    for (process, tree) in side_by_side(ground, |process| explored(ground, process)) {
        trees.insert(process.name.clone(), tree);
    }
    for _ in 0..ROUNDS {
        for process in &ground.book.processes {
            let mut tree = trees.remove(&process.name).unwrap_or_default();
            Arranger { ground, trees: &trees, tree: &mut tree, process }.arrange();
            trees.insert(process.name.clone(), tree);
        }
    }
    trees
}

fn explored(ground: &Ground<'_>, process: &Process) -> Tree {
    let mut tree = Tree::default();
    // As most are; one person for everybody; and one who does all that they may.
    for (is_one, is_busy, budget) in [(false, false, 500), (true, true, 200), (false, true, 200)] {
        let mut search =
            Search::new(ground, &mut tree, process, Manner { is_one, is_busy, budget });
        search.with_openings(None, &Map::new());
        search.run(None);
    }
    tree
}

/// Works on all processes with as many threads as there are processors.
fn side_by_side<'g, T: Send>(
    ground: &Ground<'g>,
    work: impl Fn(&'g Process) -> T + Sync,
) -> Vec<(&'g Process, T)> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(process) =
                    ground.book.processes.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let result = work(process);
                    done.lock().expect("nobody panics with it").push((process, result));
                }
            });
        }
    });
    done.into_inner().expect("nobody panics with it")
}
