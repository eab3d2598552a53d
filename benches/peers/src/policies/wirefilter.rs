//! `wirefilter-engine`: one filter that denies and one that allows, each a chain of `or`.
//!
//! The published version has no wildcards, so patterns become regular expressions.

use portcullis::Decision;
use wirefilter::{ExecutionContext, Filter, Scheme, Type};

use super::{Decide, Statement, decision};
use crate::workload::Question;

pub(super) struct Filters<'s> {
    deny: Filter<'s>,
    allow: Filter<'s>,
    contexts: Vec<ExecutionContext<'s>>,
}

pub(super) fn scheme() -> Scheme {
    let fields = [("ip.src", Type::Ip), ("http.arn", Type::Bytes)];
    let fields = fields.map(|(name, kind)| (name.to_owned(), kind));
    Scheme::try_from_iter(fields).expect("the fields have different names")
}

impl<'s> Filters<'s> {
    pub(super) fn new(
        scheme: &'s Scheme,
        statements: &[Statement],
        questions: &'s [Question],
    ) -> Result<Self, String> {
        let filter = |deny: bool| {
            let parts = statements.iter().filter(|s| s.deny == deny).map(expression);
            let text = parts.collect::<Vec<_>>().join(" or ");
            match scheme.parse(&text) {
                Ok(filter) => Ok(filter.compile()),
                Err(error) => Err(error.to_string()),
            }
        };
        let context = |question: &'s Question| {
            let mut context = ExecutionContext::new(scheme);
            let ip = context.set_field_value("ip.src", question.source_ip);
            let arn = context.set_field_value("http.arn", question.resource.as_str());
            ip.and(arn)
                .map(|()| context)
                .map_err(|error| error.to_string())
        };
        Ok(Self {
            deny: filter(true)?,
            allow: filter(false)?,
            contexts: questions.iter().map(context).collect::<Result<_, _>>()?,
        })
    }
}

fn expression(statement: &Statement) -> String {
    let nets: Vec<String> = statement.nets.iter().map(ToString::to_string).collect();
    let arns = statement
        .patterns
        .iter()
        .map(|p| format!(r#"http.arn matches "{}""#, regex(p)));
    let arns: Vec<String> = arns.collect();
    format!(
        "(ip.src in {{{}}} and ({}))",
        nets.join(" "),
        arns.join(" or ")
    )
}

/// The workload's patterns have no character that is special in a regular expression but `*`.
fn regex(pattern: &str) -> String {
    let middle = pattern.strip_suffix('*');
    let end = if middle.is_some() { "" } else { "$" };
    format!("^{}{end}", middle.unwrap_or(pattern).replace('*', ".*"))
}

impl Decide for Filters<'_> {
    fn decide(&mut self, at: usize) -> Decision {
        let context = &self.contexts[at];
        let denied = self.deny.execute(context).expect("one scheme");
        decision(denied, || self.allow.execute(context).expect("one scheme"))
    }
}
