//! Errors and explanations, drawn on the text they are about.
//!
//! ```text
//! error: `10.0.0.0/33` has a prefix length above 32
//!   --> office.json:9:27
//!    |
//!  9 |         "aws:SourceIp": ["10.0.0.0/33"]
//!    |                          ^^^^^^^^^^^^^
//! ```
//!
//! In JSON the same is one object: `{"error": {…}}` or `{"warning": {…}}`.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use anstream::adapter::strip_str;
use portcullis::Position;
use portcullis::analysis::lint::Severity;
use serde::Serialize;

use crate::excerpt::{self, Mark};
use crate::failure::{BrokenPolicy, Failure, PolicyFault};
use crate::terminal::{shown, visible};

/// Something said about places of a text.
#[derive(Debug)]
pub(crate) struct Drawing<'a> {
    /// What kind of thing is said: the first word, and the colour.
    pub(crate) tone: Tone,
    /// What is said.
    pub(crate) title: String,
    /// The name of the text.
    pub(crate) file: &'a str,
    /// The text.
    pub(crate) text: &'a str,
    /// Where in the text, for the line below the title.
    pub(crate) position: Position,
    /// The places.
    pub(crate) marks: Vec<Mark>,
    /// What to do.
    pub(crate) help: Vec<String>,
}

/// What kind of thing a drawing says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// A statement that allows.
    Allow,
    /// A statement that denies.
    Deny,
    /// Something wrong.
    Error,
    /// A statement that nearly allowed.
    Nearest,
    /// What a rule found: how much it matters, and the rule's id.
    Found(Severity, &'static str),
}

impl Tone {
    fn level(self) -> Level<'static> {
        match self {
            Self::Allow => Level::NOTE.with_name("allow"),
            Self::Deny => Level::ERROR.with_name("deny"),
            Self::Error => Level::ERROR,
            Self::Nearest => Level::WARNING.with_name("nearest miss"),
            Self::Found(severity, id) => match severity {
                Severity::Error => Level::ERROR.with_name(format!("error[{id}]")),
                Severity::Warning => Level::WARNING.with_name(format!("warning[{id}]")),
                Severity::Note => Level::NOTE.with_name(format!("note[{id}]")),
            },
        }
    }
}

impl Drawing<'_> {
    /// Draws, with styles; ends in a line feed.
    pub(crate) fn render(&self) -> String {
        let title = shown(&self.title, MESSAGE_LIMIT);
        let line = usize::try_from(self.position.line).unwrap_or(usize::MAX);
        let column = usize::try_from(self.position.column).unwrap_or(usize::MAX);
        let mut group = Group::with_title(self.tone.level().primary_title(title)).element(
            Origin::path(visible(self.file).into_owned())
                .line(line)
                .char_column(column),
        );
        for excerpt in excerpt::cut(self.text, &self.marks) {
            let annotations = excerpt.marks.into_iter().map(|mark| {
                let kind = if mark.primary {
                    AnnotationKind::Primary
                } else {
                    AnnotationKind::Context
                };
                let label = shown(&mark.label, MESSAGE_LIMIT);
                let annotation = kind.span(mark.range);
                if label.is_empty() {
                    annotation
                } else {
                    annotation.label(label)
                }
            });
            group = group.element(
                Snippet::source(excerpt.text)
                    .line_start(excerpt.line)
                    .annotations(annotations),
            );
        }
        for help in &self.help {
            let help = shown(help, MESSAGE_LIMIT);
            group = group.element(Level::HELP.message(help));
        }
        without_origins(&renderer().render(&[group]))
    }
}

/// Draws why there is no answer.
pub(crate) fn failure(failure: &Failure) -> String {
    match failure {
        Failure::Policies(broken) => {
            let mut drawn = String::new();
            let mut left = FAULT_LIMIT;
            for policy in broken {
                for fault in policy.faults.iter().take(left) {
                    drawn.push_str(&fault_drawing(policy, fault).render());
                    drawn.push('\n');
                }
                left = left.saturating_sub(policy.faults.len());
            }
            let omitted = omitted(broken);
            if omitted > 0 {
                drawn.push_str(&message(Level::ERROR, &format!("and {omitted} more"), None));
            } else {
                drawn.pop();
            }
            drawn
        }
        Failure::Build {
            message,
            place: Some(place),
        } => Drawing {
            tone: Tone::Error,
            title: message.clone(),
            file: &place.file,
            text: &place.text,
            position: place.position,
            marks: vec![Mark {
                range: place.range.clone(),
                label: String::new(),
                primary: true,
            }],
            help: Vec::new(),
        }
        .render(),
        _ => {
            let report = ErrorReport::of(failure);
            message(Level::ERROR, &report.message, report.help.as_deref())
        }
    }
}

/// Returns why there is no answer, as JSON on one line.
pub(crate) fn failure_json(failure: &Failure) -> String {
    #[derive(Serialize)]
    struct Object {
        error: ErrorReport,
    }
    json_line(&Object {
        error: ErrorReport::of(failure),
    })
}

/// Draws a warning.
pub(crate) fn warning(text: &str) -> String {
    message(Level::WARNING, text, None)
}

/// Returns a warning as JSON on one line.
pub(crate) fn warning_json(text: &str) -> String {
    #[derive(Serialize)]
    struct Warning<'a> {
        message: &'a str,
    }
    #[derive(Serialize)]
    struct Object<'a> {
        warning: Warning<'a>,
    }
    json_line(&Object {
        warning: Warning { message: text },
    })
}

/// Returns a value as JSON and a line feed.
pub(crate) fn json_line(value: &impl Serialize) -> String {
    // What is printed here has string keys only, which is all that can fail.
    let mut line = serde_json::to_string(value).unwrap_or_default();
    line.push('\n');
    line
}

fn fault_drawing<'a>(policy: &'a BrokenPolicy, fault: &PolicyFault) -> Drawing<'a> {
    Drawing {
        tone: Tone::Error,
        title: fault.message.clone(),
        file: &policy.file,
        text: &policy.text,
        position: fault.position,
        marks: vec![Mark {
            range: fault.range.clone(),
            label: fault.path.clone(),
            primary: true,
        }],
        help: fault.help.iter().cloned().collect(),
    }
}

/// Draws what is about no place of a text.
fn message(level: Level<'static>, text: &str, help: Option<&str>) -> String {
    let mut drawn = String::new();
    for (level, text) in [(level, Some(text)), (Level::HELP, help)] {
        if let Some(text) = text {
            let text = shown(text, MESSAGE_LIMIT);
            drawn.push_str(&renderer().render(&[Group::with_title(level.primary_title(text))]));
            drawn.push('\n');
        }
    }
    drawn
}

/// Removes the lines that announce a snippet of another file, and ends in a line feed.
///
/// The place below the title is given apart from the snippets, because columns of a line
/// that was cut are not those of the text. The renderer then takes each snippet for one
/// of a nameless file. A line of the text cannot be mistaken for such an announcement:
/// it has its number in front.
fn without_origins(drawn: &str) -> String {
    let mut kept = String::with_capacity(drawn.len());
    let mut announced = false;
    for line in drawn.lines() {
        if strip_str(line).to_string().trim() != ":::" {
            kept.push_str(line);
            kept.push('\n');
        } else if announced {
            kept.push_str("...\n");
        } else {
            announced = true;
        }
    }
    kept
}

/// Returns how many faults are not drawn.
fn omitted(broken: &[BrokenPolicy]) -> usize {
    let all: usize = broken
        .iter()
        .map(|policy| policy.faults.len() + policy.suppressed)
        .sum();
    all.saturating_sub(FAULT_LIMIT)
}

fn renderer() -> Renderer {
    // Lines were cut to size already; whether there are colours is for the output to say.
    Renderer::styled().term_width(10_000)
}

/// Why there is no answer, for a program: the first fault, then all of them.
#[derive(Debug, Serialize)]
struct ErrorReport {
    message: String,
    policy: Option<String>,
    line: Option<u32>,
    column: Option<u32>,
    path: Option<String>,
    help: Option<String>,
    faults: Vec<FaultReport>,
    omitted: usize,
}

#[derive(Debug, Serialize)]
struct FaultReport {
    policy: String,
    message: String,
    line: u32,
    column: u32,
    path: String,
    help: Option<String>,
}

impl ErrorReport {
    fn of(failure: &Failure) -> Self {
        let plain = |message: String| Self {
            message,
            policy: None,
            line: None,
            column: None,
            path: None,
            help: None,
            faults: Vec::new(),
            omitted: 0,
        };
        match failure {
            Failure::Usage { message, help } => Self {
                help: help.clone(),
                ..plain(message.clone())
            },
            Failure::File { file, error } => plain(format!("{file}: {error}")),
            Failure::Output(error) => plain(format!("stdout cannot be written to: {error}")),
            Failure::Build { message, place } => Self {
                policy: place.as_ref().map(|place| place.file.clone()),
                line: place.as_ref().map(|place| place.position.line),
                column: place.as_ref().map(|place| place.position.column),
                ..plain(message.clone())
            },
            Failure::Policies(broken) => {
                let faults: Vec<FaultReport> = broken
                    .iter()
                    .flat_map(|policy| policy.faults.iter().map(move |fault| (policy, fault)))
                    .take(FAULT_LIMIT)
                    .map(|(policy, fault)| FaultReport {
                        policy: policy.file.clone(),
                        message: fault.message.clone(),
                        line: fault.position.line,
                        column: fault.position.column,
                        path: fault.path.clone(),
                        help: fault.help.clone(),
                    })
                    .collect();
                let first = faults.first();
                let report = Self {
                    help: first.and_then(|fault| fault.help.clone()),
                    policy: first.map(|fault| fault.policy.clone()),
                    line: first.map(|fault| fault.line),
                    column: first.map(|fault| fault.column),
                    path: first.map(|fault| fault.path.clone()),
                    omitted: omitted(broken),
                    ..plain(first.map_or_else(String::new, |fault| fault.message.clone()))
                };
                Self { faults, ..report }
            }
        }
    }
}

/// Faults that are drawn or listed; the rest is a number.
const FAULT_LIMIT: usize = 20;
/// Characters of a message: a fault may quote a text of megabytes.
const MESSAGE_LIMIT: usize = 600;
