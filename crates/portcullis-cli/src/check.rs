//! `check`: decides about one request.

use anstyle::{AnsiColor, Style};
use portcullis::decision::Determining;
use portcullis::policy::OperatorFamily;
use portcullis::{Decision, Effect, Engine, Explanation, PolicyKind};
use serde::Serialize;

use core::fmt::Write;
use std::borrow::Cow;

use crate::args::{Format, QuestionArgs};
use crate::diagnostics::json_line;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::policies::{self, Given, LoadedPolicy};
use crate::question::Question;
use crate::reply::Reply;
use crate::target::{Called, PolicyTraits, Target};
use crate::terminal::{shortened, visible};

/// Answers with the decision and the statements that caused it.
pub(crate) fn run(args: &QuestionArgs) -> Result<Reply, Failure> {
    let asked = Asked::read(args)?;
    let explanation = asked.explain();
    let text = match args.format {
        Format::Json => json(&asked, &explanation),
        Format::Human => human(&asked, &explanation),
    };
    Ok(Reply::new(text, exit(explanation.decision)).with_warnings(asked.warnings))
}

/// A question and what answers it, read from the arguments.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The policies, short-hand expanded; none where an image decides.
    pub(crate) policies: Vec<LoadedPolicy>,
    /// The request.
    pub(crate) question: Question,
    /// What the user may have meant otherwise.
    pub(crate) warnings: Vec<String>,
    engine: Engine,
    /// The name of the image that decides.
    image: Option<String>,
}

impl Asked {
    /// Reads policies and request, and builds the engine.
    pub(crate) fn read(args: &QuestionArgs) -> Result<Self, Failure> {
        let called = Called::read(args)?;
        let given = policies::load_given(&args.policies.files, args.policies.kind)?;
        let mut policies = match given {
            Given::Documents(policies) => policies,
            Given::Image(image) => {
                let target = Target::read_for_image(called, args)?;
                return Ok(Self {
                    policies: Vec::new(),
                    question: Question::read(args, target.resource)?,
                    warnings: target.warnings,
                    engine: image.engine,
                    image: Some(image.file),
                });
            }
        };
        let target = Target::read(called, args, PolicyTraits::of(&policies))?;
        let question = Question::read(args, target.resource)?;
        if let Some(api) = &target.api {
            policies::expand(&mut policies, api);
        }
        let mut warnings = target.warnings;
        if args.policies.kind.is_none() && args.principal.is_none() {
            warnings.extend(policies.iter().filter_map(unclaimed));
        }
        warnings.extend(unplaced(&policies, &question));
        Ok(Self {
            engine: policies::build(&policies)?,
            policies,
            question,
            warnings,
            image: None,
        })
    }

    /// Returns whether an image decides, which has no text.
    pub(crate) const fn is_image(&self) -> bool {
        self.image.is_some()
    }

    /// Decides, with the statements that caused the decision.
    pub(crate) fn explain(&self) -> Explanation {
        self.question
            .with_request(|request| self.engine.explain(request))
    }

    /// Returns the file that a determining statement is in; of an image with the policy's number.
    pub(crate) fn file(&self, policy: usize) -> Cow<'_, str> {
        match &self.image {
            Some(image) => format!("{image}#{policy}").into(),
            None => {
                let loaded = self.policies.get(policy);
                loaded.map_or("", |loaded| &loaded.file).into()
            }
        }
    }
}

/// Returns what is said of an identity policy that nobody called one, for a caller that nobody named.
///
/// A resource policy whose author forgot every Principal looks the same.
pub(crate) fn unclaimed(loaded: &LoadedPolicy) -> Option<String> {
    (loaded.policy.kind() == PolicyKind::Identity).then(|| {
        format!(
            "{} has no Principal, so it is read as an identity policy, attached to an anonymous caller; \
             --principal ARN names the caller, --kind identity says that an anonymous one is meant, \
             --kind resource that the policy is an API's",
            loaded.file
        )
    })
}

/// Returns what is said of policies that decide by an address which the request does not have.
///
/// A block list lets such a request in, which is seldom what was asked.
fn unplaced(policies: &[LoadedPolicy], question: &Question) -> Option<String> {
    const KEY: &str = "aws:SourceIp";
    if !question.lacks(KEY) {
        return None;
    }
    let decides_by_address = |loaded: &&LoadedPolicy| {
        let statements = loaded.policy.statements().iter();
        let mut conditions = statements.flat_map(|statement| &statement.conditions);
        conditions.any(|condition| {
            condition.key.value.eq_ignore_ascii_case(KEY)
                && condition.operator.value.operator.family() == OperatorFamily::Ip
        })
    };
    let loaded = policies.iter().find(decides_by_address)?;
    Some(format!(
        "{} decides by `{KEY}`, which this request does not have: IpAddress does not hold and \
         NotIpAddress does; --source-ip IP gives the address",
        loaded.file
    ))
}

/// Returns the exit code of a decision.
pub(crate) const fn exit(decision: Decision) -> Exit {
    if decision.is_allow() {
        Exit::Ok
    } else {
        Exit::Denied
    }
}

/// Returns the line that a human answer starts with.
pub(crate) fn headline(decision: Decision) -> String {
    let color = if decision.is_allow() {
        AnsiColor::Green
    } else {
        AnsiColor::Red
    };
    let style = Style::new().bold().fg_color(Some(color.into()));
    format!("{style}{decision}{style:#}\n")
}

/// Returns a statement's name in a sentence: ``policy FILE, statement 2 `Sid` ``.
pub(crate) fn statement_name(file: &str, statement: usize, sid: Option<&str>) -> String {
    let mut name = format!("policy {}, statement {statement}", visible(file));
    if let Some(sid) = sid {
        let sid = visible(sid);
        // Writing to a String does not fail.
        let _ = write!(name, " `{}`", shortened(&sid, NAME_LIMIT));
    }
    name
}

/// Returns the decision with a line for each statement that caused it.
pub(crate) fn human(asked: &Asked, explanation: &Explanation) -> String {
    let mut text = headline(explanation.decision);
    for determining in explanation.determining.iter().take(STATEMENT_LIMIT) {
        text.push_str(&determining_line(
            &asked.file(determining.policy),
            determining,
            asked.is_image(),
        ));
        text.push('\n');
    }
    match explanation
        .determining
        .len()
        .saturating_sub(STATEMENT_LIMIT)
    {
        0 => {}
        // Writing to a String does not fail.
        more => _ = writeln!(text, "and {more} more statements"),
    }
    if explanation.decision == Decision::ImplicitDeny {
        text.push_str(if asked.is_image() {
            "no statement matches; `portcullis explain` on the policies shows the nearest miss\n"
        } else {
            "no statement matches; `portcullis explain` shows the nearest miss\n"
        });
    }
    text
}

fn determining_line(file: &str, determining: &Determining, with_column: bool) -> String {
    let mut line = statement_name(file, determining.statement, determining.sid.as_deref());
    let verb = match determining.effect {
        Effect::Allow => "allows",
        Effect::Deny => "denies",
    };
    // Writing to a String does not fail.
    let _ = match with_column {
        true => write!(line, " ({}): {verb}", determining.position),
        false => write!(line, " (line {}): {verb}", determining.position.line),
    };
    if let Some(resource) = &determining.resource {
        let pattern = visible(&resource.pattern);
        let _ = write!(line, " `{}`", shortened(&pattern, NAME_LIMIT));
    }
    for (index, matched) in determining.prefixes.iter().enumerate() {
        let link = if index == 0 { "from" } else { "and" };
        let _ = write!(
            line,
            " {link} `{}` ({}, {})",
            matched.prefix,
            visible(&matched.key),
            matched.position
        );
    }
    line
}

fn json(asked: &Asked, explanation: &Explanation) -> String {
    #[derive(Serialize)]
    struct Answer<'a> {
        decision: &'static str,
        determining: Vec<Statement<'a>>,
    }
    #[derive(Serialize)]
    struct Statement<'a> {
        policy: Cow<'a, str>,
        statement: usize,
        sid: Option<&'a str>,
    }
    json_line(&Answer {
        decision: explanation.decision.as_str(),
        determining: explanation
            .determining
            .iter()
            .map(|determining| Statement {
                policy: asked.file(determining.policy),
                statement: determining.statement,
                sid: determining.sid.as_deref(),
            })
            .collect(),
    })
}

/// Statements that a human answer lists; all of ten thousand are read by nobody.
pub(crate) const STATEMENT_LIMIT: usize = 20;
/// Characters of a name from a policy in a sentence.
const NAME_LIMIT: usize = 120;
