//! Which rules are off: for the run, for good, for single statements.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use portcullis::analysis::lint::{self, Options, Report};
use portcullis::policy::Policy;
use serde::Deserialize;

use super::args::LintArgs;
use crate::failure::Failure;
use crate::terminal::visible;

/// The file that is read where none is named.
const DEFAULT: &str = "portcullis.toml";

/// What is switched off.
#[derive(Clone, Debug, Default)]
pub(crate) struct Switches {
    off: Vec<&'static str>,
    statements: Vec<Allowance>,
}

/// Rules that are off for statements of a name.
#[derive(Clone, Debug)]
struct Allowance {
    sid: String,
    rules: Vec<&'static str>,
}

impl Switches {
    /// Reads the arguments and the configuration.
    pub(crate) fn read(args: &LintArgs) -> Result<Self, Failure> {
        let mut switches = match &args.config {
            Some(path) => Self::of_file(path, true)?,
            None => Self::of_file(Path::new(DEFAULT), false)?,
        };
        for id in &args.allow {
            switches.off.push(known(id, "--allow")?);
        }
        let mut only = Vec::new();
        for id in &args.only {
            only.push(known(id, "--only")?);
        }
        if !only.is_empty() {
            let others = lint::rules().iter().map(|rule| rule.id);
            switches.off.extend(others.filter(|id| !only.contains(id)));
        }
        Ok(switches)
    }

    fn of_file(path: &Path, named: bool) -> Result<Self, Failure> {
        let file = path.display().to_string();
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if !named && error.kind() == ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(Failure::File { file, error }),
        };
        let config: File = toml::from_str(&text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = 1 + text.get(..start).unwrap_or_default().matches('\n').count();
            Failure::usage(
                format!(
                    "{}, line {line}: {}",
                    visible(&file),
                    visible(error.message())
                ),
                "`portcullis help lint` shows how the file is written",
            )
        })?;
        let mut switches = Self::default();
        for id in &config.lint.allow {
            switches.off.push(known(id, &file)?);
        }
        for statement in config.lint.statement {
            let rules: Result<Vec<_>, _> =
                statement.allow.iter().map(|id| known(id, &file)).collect();
            switches.statements.push(Allowance {
                sid: statement.sid,
                rules: rules?,
            });
        }
        Ok(switches)
    }

    /// Returns the library's options.
    pub(crate) fn options(&self) -> Options {
        let mut options = Options::default();
        for id in &self.off {
            options = options.without(id);
        }
        for statement in &self.statements {
            for id in &statement.rules {
                options = options.without_for(&statement.sid, id);
            }
        }
        options
    }

    /// Returns what was switched off for statements where there was nothing to be found.
    pub(crate) fn unused(&self, policies: &[&Policy], report: &Report) -> Vec<String> {
        let mut unused = Vec::new();
        for Allowance { sid, rules } in &self.statements {
            let exists = policies.iter().any(|policy| {
                (policy.statements().iter())
                    .any(|s| s.sid.as_ref().is_some_and(|own| *own.value == **sid))
            });
            if !exists {
                unused.push(format!(
                    "an allowance is for statement `{}`, which no policy has",
                    visible(sid)
                ));
                continue;
            }
            for id in rules.iter().filter(|id| !self.off.contains(id)) {
                let used = (report.allowed.iter())
                    .any(|finding| finding.rule.id == *id && finding.sid.as_ref() == Some(sid));
                if !used {
                    unused.push(format!(
                        "the allowance of `{id}` for statement `{}` is not needed: nothing is found there",
                        visible(sid)
                    ));
                }
            }
        }
        unused
    }
}

/// Returns the rule's id, or an error that tells the nearest.
pub(super) fn known(id: &str, place: &str) -> Result<&'static str, Failure> {
    if let Some(rule) = lint::rule(id) {
        return Ok(rule.id);
    }
    let help = match lint::nearest_rule(id) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`portcullis lint --rules` lists the rules".to_owned(),
    };
    Err(Failure::usage(
        format!("{}: there is no rule `{}`", visible(place), visible(id)),
        help,
    ))
}

#[derive(Debug, Default, Deserialize)]
struct File {
    #[serde(default)]
    lint: Lint,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lint {
    #[serde(default)]
    allow: Vec<String>,
    #[serde(default)]
    statement: Vec<Statement>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    sid: String,
    allow: Vec<String>,
    /// For whoever reads the file.
    #[serde(rename = "reason")]
    _reason: Option<String>,
}
