//! What is to be drawn, before it is drawn: cells along the curve.
//!
//! ```text
//! Region, Region, …  ──▶ Stretch, Stretch, …  ──▶ Run, Run, …       (cells of one resolution)
//! addresses, exact       with their class         whole, or mixed with the count of each class
//! ```
//!
//! A cell is a prefix. Its counts are exact whatever the resolution: nothing is sampled.

use core::net::IpAddr;

use ipnet::IpNet;
use portcullis::analysis::Partition;
use portcullis::analysis::partition::{Region, prefixes};

use super::palette::{self, CHANGES, CLASSES, Class, DECISIONS, Rgb};
use super::window::{Window, low, to_bits};

/// Neighbouring addresses of one class, with what decided about them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch<'p> {
    first: IpAddr,
    last: IpAddr,
    /// The index of the class.
    pub(super) class: usize,
    /// What the policies say.
    pub(super) now: &'p Region,
    /// What the old policies say, where there are any.
    pub(super) before: Option<&'p Region>,
}

impl Stretch<'_> {
    /// Returns the number of addresses; `u128::MAX` for all of IPv6.
    pub(super) fn size(&self) -> u128 {
        (to_bits(self.last) - to_bits(self.first)).saturating_add(1)
    }
}

impl Stretch<'_> {
    /// Returns which addresses these are: a prefix, or the first and the last.
    pub(super) fn name(&self) -> String {
        let mut prefixes = prefixes(self.first, self.last);
        match (prefixes.next(), prefixes.next()) {
            (Some(prefix), None) => prefix.to_string(),
            _ => format!("{} to {}", self.first, self.last),
        }
    }

    /// Returns whether the same statements decided, now and before.
    fn is_caused_as(&self, other: &Self) -> bool {
        let cause = |region: &Region| {
            let cause = region.cause.map(|cause| (cause.policy, cause.statement));
            (region.decision, cause)
        };
        cause(self.now) == cause(other.now) && self.before.map(cause) == other.before.map(cause)
    }
}

/// All of a prefix, by class.
#[derive(Debug)]
pub(super) struct Survey<'p> {
    /// The prefix.
    pub(super) within: IpNet,
    /// The classes.
    pub(super) classes: &'static [Class],
    /// What has which class, ascending.
    pub(super) stretches: Vec<Stretch<'p>>,
}

impl<'p> Survey<'p> {
    /// Returns the decisions of one partition.
    pub(super) fn decisions(partition: &'p Partition) -> Self {
        let regions = partition.regions().iter();
        Self {
            within: partition.within(),
            classes: &DECISIONS,
            stretches: regions
                .map(|region| Stretch {
                    first: region.first,
                    last: region.last,
                    class: match region.decision {
                        portcullis::Decision::Allow => 0,
                        portcullis::Decision::ExplicitDeny => 1,
                        portcullis::Decision::ImplicitDeny => 2,
                    },
                    now: region,
                    before: None,
                })
                .collect(),
        }
    }

    /// Returns what became of the decisions of `before` in `now`; both are of one prefix.
    pub(super) fn changes(before: &'p Partition, now: &'p Partition) -> Self {
        Self {
            within: now.within(),
            classes: &CHANGES,
            stretches: before
                .overlay(now)
                .map(|(first, last, before, now)| Stretch {
                    first,
                    last,
                    class: match (before.decision.is_allow(), now.decision.is_allow()) {
                        (false, true) => 0,
                        (true, false) => 1,
                        (true, true) => 2,
                        (false, false) => 3,
                    },
                    now,
                    before: Some(before),
                })
                .collect(),
        }
    }

    /// Returns whether the classes are changes, and not decisions.
    pub(super) fn is_diff(&self) -> bool {
        self.stretches
            .iter()
            .any(|stretch| stretch.before.is_some())
    }

    /// Returns the number of addresses of each class.
    pub(super) fn counts(&self) -> [u128; CLASSES] {
        let mut counts = [0_u128; CLASSES];
        for stretch in &self.stretches {
            if let Some(count) = counts.get_mut(stretch.class) {
                *count = count.saturating_add(stretch.size());
            }
        }
        counts
    }
}

/// Neighbouring cells along the curve that are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// The first cell, counted from the window's first.
    pub(super) cell: u64,
    /// The number of cells.
    pub(super) count: u64,
    /// What is in them.
    pub(super) content: Content,
}

/// What is in a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// All addresses are of one stretch; its index.
    Whole(usize),
    /// Several stretches; the index into the counts.
    Mixed(usize),
}

/// A survey at one resolution.
#[derive(Debug)]
pub(super) struct Picture<'s, 'p> {
    pub(super) survey: &'s Survey<'p>,
    pub(super) window: Window,
    /// All cells of the window, in order.
    pub(super) runs: Vec<Run>,
    mixed: Vec<Mixed>,
}

/// What is in a cell of several stretches.
#[derive(Clone, Copy, Debug)]
struct Mixed {
    /// The number of addresses of each class.
    counts: [u128; CLASSES],
    /// The indices of the first stretch and of the last.
    first: usize,
    last: usize,
    /// All are caused by the same statement, if by different prefixes of it.
    alike: bool,
}

impl<'s, 'p> Picture<'s, 'p> {
    /// Returns the picture whose longer side has 2^`levels` cells, or fewer where the address
    /// space has no more.
    pub(super) fn new(survey: &'s Survey<'p>, levels: u32) -> Self {
        let window = Window::new(survey.within, levels);
        let mut picture = Self {
            survey,
            window,
            runs: Vec::new(),
            mixed: Vec::new(),
        };
        let (shift, base) = (window.shift(), to_bits(survey.within.network()));
        // The size of a cell less one; a cell is never all of IPv6.
        let host = (1_u128 << shift) - 1;
        for (index, stretch) in survey.stretches.iter().enumerate() {
            let (first, last) = (to_bits(stretch.first) - base, to_bits(stretch.last) - base);
            let (mut cell, end) = (low(first >> shift), low(last >> shift));
            if cell == end && last - first < host {
                picture.add(cell, index, last - first + 1);
                continue;
            }
            if first & host != 0 {
                picture.add(cell, index, host + 1 - (first & host));
                cell += 1;
            }
            let ends_early = last & host != host;
            let whole = end + u64::from(!ends_early) - cell;
            if whole > 0 {
                picture.runs.push(Run {
                    cell,
                    count: whole,
                    content: Content::Whole(index),
                });
            }
            if ends_early {
                picture.add(end, index, (last & host) + 1);
            }
        }
        picture
    }

    /// Returns the finest picture of at most 2^`levels` cells a side whose parts are not
    /// above `limit`, as `measure` counts them.
    pub(super) fn with_limit(
        survey: &'s Survey<'p>,
        levels: u32,
        limit: usize,
        measure: impl Fn(&Self) -> usize,
    ) -> Self {
        let mut levels = levels;
        loop {
            let picture = Self::new(survey, levels);
            if measure(&picture) <= limit || levels <= 4 {
                return picture;
            }
            levels = (picture.window.order - 1).max(4);
        }
    }

    /// Counts addresses of a stretch in a cell that has others too.
    fn add(&mut self, cell: u64, stretch: usize, count: u128) {
        if self
            .runs
            .last()
            .is_none_or(|run| run.cell + run.count <= cell)
        {
            self.runs.push(Run {
                cell,
                count: 1,
                content: Content::Mixed(self.mixed.len()),
            });
            self.mixed.push(Mixed {
                counts: [0; CLASSES],
                first: stretch,
                last: stretch,
                alike: true,
            });
        }
        let stretches = &self.survey.stretches;
        let (Some(added), Some(mixed)) = (stretches.get(stretch), self.mixed.last_mut()) else {
            return;
        };
        mixed.last = stretch;
        let first = stretches.get(mixed.first);
        mixed.alike &= first.is_some_and(|first| first.is_caused_as(added));
        if let Some(counted) = mixed.counts.get_mut(added.class) {
            *counted += count;
        }
    }

    /// Returns a stretch that stands for all of a mixed cell but for the prefix that matched, if
    /// one does.
    pub(super) fn alike(&self, mixed: usize) -> Option<&'s Stretch<'p>> {
        let mixed = self.mixed.get(mixed).filter(|mixed| mixed.alike)?;
        self.survey.stretches.get(mixed.first)
    }

    /// Returns the first few stretches of a mixed cell that are not of the class that most of its
    /// addresses have; none where there are very many mixed cells, of which nobody looks at each.
    pub(super) fn inside(&self, mixed: usize) -> Vec<&'s Stretch<'p>> {
        let Some(cell) = self.mixed.get(mixed) else {
            return Vec::new();
        };
        if self.mixed.len() > INSIDES || cell.alike {
            return Vec::new();
        }
        let counts = cell.counts.iter().enumerate();
        let most = counts
            .max_by_key(|(_, count)| **count)
            .map(|(class, _)| class);
        let stretches = self.survey.stretches.get(cell.first..=cell.last);
        let stretches = stretches.unwrap_or_default().iter();
        let rare = stretches.filter(|stretch| Some(stretch.class) != most);
        rare.take(NAMED).collect()
    }

    /// Returns the number of addresses of each class in a mixed cell.
    pub(super) fn counts(&self, mixed: usize) -> [u128; CLASSES] {
        self.mixed
            .get(mixed)
            .map_or([0; CLASSES], |mixed| mixed.counts)
    }

    /// Returns the stretch that a whole run is part of.
    pub(super) fn stretch(&self, whole: usize) -> Option<&'s Stretch<'p>> {
        self.survey.stretches.get(whole)
    }

    /// Returns the colour of a run.
    pub(super) fn color(&self, run: &Run) -> Rgb {
        let classes = self.survey.classes;
        let (shares, present) = match run.content {
            Content::Whole(index) => {
                let class = self.stretch(index).map_or(0, |stretch| stretch.class);
                return classes.get(class).map_or([0; 3], |class| class.color);
            }
            Content::Mixed(index) => {
                let counts = self.counts(index);
                // A share of `WHOLE`, of the 2^shift addresses of a cell.
                let shift = self.window.shift();
                let share = |count: u128| match shift.checked_sub(16) {
                    Some(down) => low(count.checked_shr(down).unwrap_or(0)),
                    None => low(count << (16 - shift)),
                };
                (counts.map(share), counts.map(|count| count > 0))
            }
        };
        palette::blend(classes, &shares, &present)
    }
}

/// Mixed cells up to which each tells what is in it.
const INSIDES: usize = 4000;
/// Stretches of a mixed cell that are named.
const NAMED: usize = 3;

/// Returns the prefixes that a run of cells is, as its first cell and the number of cells.
pub(super) fn blocks(run: &Run, first_cell: u64) -> impl Iterator<Item = (u64, u64)> {
    let (mut cell, end) = (run.cell + first_cell, run.cell + first_cell + run.count);
    core::iter::from_fn(move || {
        let left = end.checked_sub(cell).filter(|left| *left > 0)?;
        let count = 1 << cell.trailing_zeros().min(left.ilog2());
        let block = (cell - first_cell, count);
        cell += count;
        Some(block)
    })
}

#[cfg(test)]
pub(super) mod tests {
    use portcullis::analysis::partition;
    use portcullis::{Address, Policy, Request};

    use super::*;

    const ARN: &str = "arn:aws:execute-api:eu-central-1:123456789012:abc/prod/GET/pets";

    /// Returns the partition of a policy that allows these prefixes.
    pub(in crate::map) fn allowing(prefixes: &[&str], within: &str) -> Partition {
        let list = prefixes.join("\",\"");
        let policy = Policy::from_json(&format!(
            r#"{{"Statement":{{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*",
                "Condition":{{"IpAddress":{{"aws:SourceIp":["{list}"]}}}}}}}}"#
        ));
        let request = Request::invoke(Address::Absent, ARN);
        partition(&[policy.unwrap()], &request, within.parse().unwrap()).unwrap()
    }

    fn runs(picture: &Picture<'_, '_>) -> Vec<String> {
        let told = |run: &Run| match run.content {
            Content::Whole(index) => {
                let class = picture.stretch(index).unwrap().class;
                format!("{}+{} {class}", run.cell, run.count)
            }
            Content::Mixed(index) => {
                let [a, b, c, d] = picture.counts(index);
                format!("{}+{} {a},{b},{c},{d}", run.cell, run.count)
            }
        };
        picture.runs.iter().map(told).collect()
    }

    #[test]
    fn runs_are_whole_or_counted() {
        for (prefixes, within, levels, expected) in [
            (&["16.0.0.0/4"][..], "0.0.0.0/0", 2, "0+1 2,1+1 0,2+14 2"),
            (
                &["17.0.0.0/32"],
                "0.0.0.0/0",
                2,
                "0+1 2,1+1 1,0,268435455,0,2+14 2",
            ),
            (
                &["16.0.0.0/4", "15.255.255.0/24"],
                "0.0.0.0/0",
                2,
                "0+1 256,0,268435200,0,1+1 0,2+14 2",
            ),
            (&["0.0.0.0/0"], "0.0.0.0/0", 4, "0+256 0"),
            (
                &["10.0.0.1", "10.0.0.3"],
                "10.0.0.0/30",
                4,
                "0+1 2,1+1 0,2+1 2,3+1 0",
            ),
            (&["10.0.0.1"], "10.0.0.0/31", 4, "0+1 2,1+1 0"),
            (&["10.0.0.1"], "10.0.0.1/32", 4, "0+1 0"),
            (&["10.0.0.1"], "10.0.0.0/29", 1, "0+1 1,0,3,0,1+1 2"),
            (&["8000::/1"], "::/0", 1, "0+2 2,2+2 0"),
            (&["2001:db8::/33"], "2001:db8::/32", 1, "0+2 0,2+2 2"),
        ] {
            let partition = allowing(prefixes, within);
            let survey = Survey::decisions(&partition);
            assert_eq!(
                runs(&Picture::new(&survey, levels)).join(","),
                expected,
                "{prefixes:?}"
            );
        }
    }

    #[test]
    fn blocks_of_a_run_are_prefixes() {
        let run = |cell, count| Run {
            cell,
            count,
            content: Content::Mixed(0),
        };
        for (cell, count, first, expected) in [
            (0, 16, 0, "0+16"),
            (1, 6, 0, "1+1,2+2,4+2,6+1"),
            (0, 8, 8, "0+8"),
            (3, 5, 8, "3+1,4+4"),
        ] {
            let found: Vec<String> = blocks(&run(cell, count), first)
                .map(|(a, b)| format!("{a}+{b}"))
                .collect();
            assert_eq!(found.join(","), expected);
        }
    }

    #[test]
    fn changes_are_gains_and_losses_of_access() {
        let (old, new) = (
            allowing(&["16.0.0.0/4"], "0.0.0.0/0"),
            allowing(&["16.0.0.0/5", "32.0.0.0/4"], "0.0.0.0/0"),
        );
        let survey = Survey::changes(&old, &new);
        assert_eq!(
            survey.counts(),
            [1 << 28, 1 << 27, 1 << 27, (1 << 32) - (1 << 29)]
        );
        assert_eq!(
            runs(&Picture::new(&survey, 2)).join(","),
            "0+1 3,1+1 0,134217728,134217728,0,2+1 0,3+13 3"
        );
    }
}
