//! The clock: contenders in turn, A B C A B C …, and the median round of each.
//!
//! The machine's speed swings by up to a factor of two within minutes; in turn, a swing
//! meets all contenders alike, and ratios hold.

use std::time::{Duration, Instant};

/// How long one round of one contender should take.
const ROUND: Duration = Duration::from_millis(25);

const ROUNDS: usize = 9;

/// Past this much time a contender gets no further round, once it had [`ENOUGH`].
const CELL: Duration = Duration::from_secs(2);

const ENOUGH: usize = 3;

/// Something that can be done many times over.
pub(crate) trait Work {
    /// Does it `count` times, going on where the last call stopped.
    fn repeat(&mut self, count: usize);
}

impl<F: FnMut(usize)> Work for F {
    fn repeat(&mut self, count: usize) {
        self(count);
    }
}

/// The rounds of one contender.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timed {
    /// The median nanoseconds of one operation.
    pub(crate) median: f64,
    /// From the first quartile of the rounds to the third, as a part of the median.
    pub(crate) spread: f64,
}

impl Timed {
    fn new(mut rounds: Vec<f64>) -> Self {
        rounds.sort_by(f64::total_cmp);
        let at = |part: usize| rounds[(rounds.len() - 1) * part / 4];
        Self {
            median: at(2),
            spread: (at(3) - at(1)) / at(2),
        }
    }
}

/// Times each of `works`.
pub(crate) fn interleaved(works: &mut [Box<dyn Work + '_>]) -> Vec<Timed> {
    let counts: Vec<usize> = works
        .iter_mut()
        .map(|work| calibrate(&mut **work))
        .collect();
    let mut rounds = vec![Vec::new(); works.len()];
    let mut spent = vec![Duration::ZERO; works.len()];
    for _ in 0..ROUNDS {
        for (at, work) in works.iter_mut().enumerate() {
            if spent[at] > CELL && rounds[at].len() >= ENOUGH {
                continue;
            }
            let time = time(&mut **work, counts[at]);
            spent[at] += time;
            rounds[at].push(time.as_secs_f64() * 1e9 / counts[at] as f64);
        }
    }
    rounds.into_iter().map(Timed::new).collect()
}

/// Returns how often `work` can be done in a round.
fn calibrate(work: &mut dyn Work) -> usize {
    let mut count = 1;
    loop {
        let time = time(work, count);
        if time * 4 > ROUND {
            let round = ROUND.as_secs_f64() * count as f64 / time.as_secs_f64();
            return (round as usize).max(1);
        }
        count *= 4;
    }
}

fn time(work: &mut dyn Work, count: usize) -> Duration {
    let start = Instant::now();
    work.repeat(count);
    start.elapsed()
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
