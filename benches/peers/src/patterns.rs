//! All patterns that match an ARN, without the engine around them: ours, which is taken in by path
//! as it is no part of the API, a loop over globs, and `globset`.

use core::hint::black_box;
use core::ops::ControlFlow;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::contender::{Built, Column, LOOP, Measured, PATTERNS, built};
use crate::measure::{Work, interleaved};
use crate::pattern::glob::program;
use crate::pattern::{Automaton, build::build};
use crate::policies::{glob, patterns_of};
use crate::util::ids::{Id, PatternId};
use crate::util::table::Tables;
use crate::util::vector::{self, Level, Vectors};
use crate::workload;

/// Finds all patterns that match.
trait Find {
    /// Puts the patterns that match `text` into `found`, in no particular order.
    fn find(&mut self, text: &str, found: &mut Vec<usize>);
}

/// The automaton, and what the processor has.
struct Ours<'a>(crate::pattern::AutomatonView<'a>, Level);

impl Find for Ours<'_> {
    fn find(&mut self, text: &str, found: &mut Vec<usize>) {
        let automaton = &self.0;
        self.1.run(FindAll {
            automaton,
            text,
            found,
        });
    }
}

/// Compiled for each level.
struct FindAll<'a, 't> {
    automaton: &'a crate::pattern::AutomatonView<'a>,
    text: &'t str,
    found: &'t mut Vec<usize>,
}

impl vector::Work for FindAll<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vectors>(self) {
        let _ = self.automaton.for_each::<V>(self.text, |id: PatternId| {
            self.found.push(id.as_usize());
            ControlFlow::Continue(())
        });
    }
}

struct Loop<'a>(&'a [String]);

impl Find for Loop<'_> {
    fn find(&mut self, text: &str, found: &mut Vec<usize>) {
        let matches = |pattern: &String| glob(pattern.as_bytes(), text.as_bytes());
        found.extend(
            (0..)
                .zip(self.0)
                .filter(|(_, p)| matches(p))
                .map(|(at, _)| at),
        );
    }
}

struct Globs(GlobSet);

impl Find for Globs {
    fn find(&mut self, text: &str, found: &mut Vec<usize>) {
        self.0.matches_into(text, found);
    }
}

/// Checks and times all contenders on `count` patterns, two of each API.
pub(crate) fn measure(label: &str, count: u64) -> Column {
    let workload = workload::statements(count / 2, 4_096);
    let patterns = patterns_of(&workload);
    let texts: Vec<&str> = workload.questions.iter().map(|q| &*q.resource).collect();

    let (automaton, automaton_cost) = built(|| automaton(&patterns));
    let (globs, globs_cost) = built(|| globs(&patterns));
    let mut refused = None;
    let mut field: Vec<(&'static str, Box<dyn Find + '_>, Option<Built>)> = vec![
        (
            PATTERNS,
            Box::new(Ours(automaton.view(), Level::detect())),
            Some(automaton_cost),
        ),
        (LOOP, Box::new(Loop(&patterns)), None),
    ];
    match globs {
        Ok(globs) => field.push((GLOBSET, Box::new(Globs(globs)), Some(globs_cost))),
        Err(error) => refused = Some(error.to_string()),
    }
    let about = check(&texts, &mut field);

    let mut works: Vec<Box<dyn Work + '_>> = Vec::new();
    let mut names = Vec::new();
    for (name, find, cost) in field {
        names.push((name, cost));
        works.push(Box::new(chain(&texts, find)));
    }
    let timed = interleaved(&mut works);
    let mut measured: Vec<Measured> = names
        .into_iter()
        .zip(timed)
        .map(|((name, built), timed)| Measured {
            name,
            latency: Some(timed.median),
            throughput: None,
            spread: timed.spread,
            built,
            refused: None,
        })
        .collect();
    if refused.is_some() {
        measured.push(Measured {
            name: GLOBSET,
            latency: None,
            throughput: None,
            spread: 0.0,
            built: None,
            refused,
        });
    }
    Column {
        label: label.to_owned(),
        size: count,
        about,
        class_bytes: None,
        measured,
    }
}

const GLOBSET: &str = "globset 0.4";

fn automaton(patterns: &[String]) -> Automaton {
    let programs: Vec<Vec<u8>> = patterns.iter().map(|p| program(p)).collect();
    let programs: Vec<&[u8]> = programs.iter().map(Vec::as_slice).collect();
    build(&programs).expect("the tables can count them")
}

fn globs(patterns: &[String]) -> Result<GlobSet, globset::Error> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(GlobBuilder::new(pattern).backslash_escape(false).build()?);
    }
    set.build()
}

/// Holds all contenders to the loop's answers, on as many texts as can be waited for.
fn check(
    texts: &[&str],
    field: &mut [(&'static str, Box<dyn Find + '_>, Option<Built>)],
) -> String {
    let mut matching = 0;
    let texts = texts.get(..512).unwrap_or(texts);
    for text in texts {
        let mut answers = field.iter_mut().map(|(name, find, _)| {
            let mut found = Vec::new();
            find.find(text, &mut found);
            found.sort_unstable();
            (*name, found)
        });
        let answers: Vec<_> = answers.by_ref().collect();
        for (name, found) in &answers {
            assert_eq!(found, &answers[1].1, "{name}: {text}");
        }
        matching += usize::from(!answers[1].1.is_empty());
    }
    format!("{} % of the ARNs match one", matching * 100 / texts.len())
}

/// Asks one text after the other; which is next hangs on what was found.
fn chain<'a>(texts: &'a [&'a str], mut find: Box<dyn Find + 'a>) -> impl FnMut(usize) + 'a {
    let (mut at, mut found) = (0, Vec::new());
    move |count| {
        for _ in 0..count {
            found.clear();
            find.find(texts[at], &mut found);
            at = (at + 1 + black_box(found.len()) / 16) % texts.len();
        }
    }
}
