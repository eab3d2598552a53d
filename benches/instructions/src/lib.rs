//! The workload of the library's benches, and what one decision of it may cost.

#[path = "../../workload.rs"]
#[expect(dead_code, reason = "other benches use the rest")]
mod workload;

use portcullis::{Decision, Engine, Policy};

/// An engine and what it is asked.
#[derive(Debug)]
pub struct Case {
    engine: Engine,
    questions: Vec<workload::Question>,
}

/// How many decisions one measurement takes.
pub const DECISIONS: usize = 256;

impl Case {
    fn new(workload: workload::Workload) -> Self {
        let policy = Policy::from_json(&workload.json).expect("generated policies parse");
        let engine = Engine::builder()
            .policy(policy)
            .build()
            .expect("generated policies build");
        Self {
            // What every processor has, so that the counts are the same on all.
            engine: engine.with_least_instructions(),
            questions: workload.questions,
        }
    }

    /// Statements of two patterns and ten CIDRs each.
    pub fn statements(count: u64) -> Self {
        Self::new(workload::statements(count, DECISIONS))
    }

    /// A block list of so many prefixes.
    pub fn block_list(prefixes: u64) -> Self {
        Self::new(workload::block_list(prefixes, false, DECISIONS))
    }

    /// An IPv6 block list of so many prefixes.
    pub fn block_list_v6(prefixes: u64) -> Self {
        Self::new(workload::block_list(prefixes, true, DECISIONS))
    }

    /// Everything open, in so many statements.
    pub fn all_open(count: u64) -> Self {
        Self::new(workload::all_open(count, DECISIONS))
    }

    /// Decides all questions and counts the allows.
    pub fn decide(&self) -> usize {
        let allows = |question: &&workload::Question| {
            self.engine.decide(&question.request()) == Decision::Allow
        };
        self.questions.iter().filter(allows).count()
    }
}
