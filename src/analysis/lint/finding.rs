//! What is found: a rule, a place, a reason, often a fix.

use core::ops::Range;

use super::fix::{Change, Fix};
use super::rule::Rule;
use crate::decision::Position;
use crate::policy::{Policy, Span};

/// One thing found in a policy.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finding {
    /// The rule that found it.
    pub rule: &'static Rule,
    /// Which policy, in the order they were given, from 0.
    pub policy: usize,
    /// Which statement of it, from 0; `None` where it is about the whole document.
    pub statement: Option<usize>,
    /// That statement's Sid.
    pub sid: Option<String>,
    /// The place, as bytes of the policy's source text.
    pub range: Range<usize>,
    /// Where the place begins.
    pub position: Position,
    /// Where the place ends: the position behind its last character.
    pub end: Position,
    /// What is wrong there, with the values concerned.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Other places that have to do with it.
    pub related: Vec<Related>,
    /// A change that keeps the meaning, where there is one.
    pub fix: Option<Fix>,
}

/// A place that has to do with a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Related {
    /// The place, as bytes of the policy's source text.
    pub range: Range<usize>,
    /// Where it begins.
    pub position: Position,
    /// What it has to do with the finding.
    pub message: String,
}

impl Finding {
    /// Adds what to do.
    pub(super) fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a place.
    pub(super) fn also(
        &mut self,
        policy: &Policy,
        span: Span,
        message: impl Into<String>,
    ) -> &mut Self {
        self.related.push(Related {
            range: policy.source_range(span),
            position: policy.position(span),
            message: message.into(),
        });
        self
    }

    /// Adds a change that keeps the meaning.
    pub(super) fn fixed_by(&mut self, title: impl Into<String>, change: Change) -> &mut Self {
        self.fix = Some(Fix {
            title: title.into(),
            change,
        });
        self
    }
}

/// Collects what one rule finds in one policy.
#[derive(Debug)]
pub(super) struct Found<'a> {
    rule: &'static Rule,
    index: usize,
    policy: &'a Policy,
    to: &'a mut Vec<Finding>,
    unexamined: &'a mut Vec<(usize, usize)>,
}

impl<'a> Found<'a> {
    pub(super) fn new(
        rule: &'static Rule,
        index: usize,
        policy: &'a Policy,
        to: &'a mut Vec<Finding>,
        unexamined: &'a mut Vec<(usize, usize)>,
    ) -> Self {
        Self {
            rule,
            index,
            policy,
            to,
            unexamined,
        }
    }

    /// Tells a finding, and returns it to be added to.
    pub(super) fn tell(
        &mut self,
        statement: Option<usize>,
        span: Span,
        message: impl Into<String>,
    ) -> &mut Finding {
        let policy = self.policy;
        let sid = statement.and_then(|at| policy.statements().get(at)?.sid.as_ref());
        let behind = Span {
            start: span.end,
            end: span.end,
        };
        let finding = Finding {
            rule: self.rule,
            policy: self.index,
            statement,
            sid: sid.map(|sid| sid.value.to_string()),
            range: policy.source_range(span),
            position: policy.position(span),
            end: policy.position(behind),
            message: message.into(),
            help: None,
            related: Vec::new(),
            fix: None,
        };
        let at = self.to.len();
        self.to.push(finding);
        // INVARIANT: it was pushed a line ago.
        #[expect(clippy::indexing_slicing, reason = "it was pushed a line ago")]
        &mut self.to[at]
    }

    /// Tells that a statement was too much work to be judged.
    pub(super) fn leave_open(&mut self, statement: usize) {
        self.unexamined.push((self.index, statement));
    }
}
