//! `fmt`: lays policies out in canonical form.
//!
//! ```text
//! files ──policies──▶ Policy ──formatted_source──▶ text ──▶ the file, stdout, or a comparison
//! ```
//!
//! All policies are read before the first file is written, so that a run with an invalid
//! one changes nothing.

mod args;
mod diff;

use std::collections::HashSet;
use std::path::PathBuf;

use portcullis::policy::Layout;
use serde::Serialize;

pub(crate) use self::args::{FMT_HELP, FmtArgs};

use crate::args::Format;
use crate::diagnostics::json_line;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::policies::{self, is_stdin};
use crate::replace::replace;
use crate::reply::Reply;
use crate::terminal::visible;

/// Answers with what was or would be changed.
pub(crate) fn run(args: &FmtArgs) -> Result<Reply, Failure> {
    let look = args.check || args.diff;
    let stdin = args.files.iter().any(|file| is_stdin(file));
    if stdin && !look {
        if args.files.len() > 1 {
            return Err(Failure::usage(
                "`-` stands beside other files, and stdout is for one policy",
                "give `-` alone, or --check",
            ));
        }
        if args.format == Format::Json {
            return Err(Failure::usage(
                "the answer to `-` is the policy, for which there is no --format json",
                "leave --format out, or give --check",
            ));
        }
    }
    let mut seen = HashSet::new();
    let mut files = args.files.clone();
    // Stdin given twice is for the reader of policies to refuse.
    files.retain(|file| is_stdin(file) || seen.insert(file.clone()));
    let layout = Layout::default().with_sorted_addresses(args.sort);
    let outcomes = lay_out(&files, args, &layout)?;
    if stdin && !look {
        let text = outcomes.into_iter().map(|outcome| outcome.after).collect();
        return Ok(Reply::new(text, Exit::Ok));
    }
    if !look {
        for (path, outcome) in files.iter().zip(&outcomes) {
            if outcome.changed() {
                replace(path, outcome.after.as_bytes()).map_err(|error| Failure::File {
                    file: outcome.file.clone(),
                    error,
                })?;
            }
        }
    }
    let exit = if look && outcomes.iter().any(Outcome::changed) {
        Exit::Findings
    } else {
        Exit::Ok
    };
    let text = match args.format {
        Format::Human => human(&outcomes, args),
        Format::Json => json(&outcomes, args),
    };
    Ok(Reply::new(text, exit))
}

/// A file and what it is laid out.
#[derive(Debug)]
struct Outcome {
    file: String,
    before: String,
    after: String,
}

impl Outcome {
    fn changed(&self) -> bool {
        self.before != self.after
    }
}

fn lay_out(files: &[PathBuf], args: &FmtArgs, layout: &Layout) -> Result<Vec<Outcome>, Failure> {
    let loaded = policies::load(files, args.kind)?;
    let outcomes = loaded.into_iter().map(|loaded| Outcome {
        after: loaded.policy.formatted_source(layout),
        before: loaded.policy.source_text().to_owned(),
        file: loaded.file,
    });
    Ok(outcomes.collect())
}

fn human(outcomes: &[Outcome], args: &FmtArgs) -> String {
    let changed = outcomes.iter().filter(|outcome| outcome.changed());
    let lines = changed.map(|outcome| {
        let file = visible(&outcome.file);
        if args.diff {
            diff::unified(&file, &outcome.before, &outcome.after).styled()
        } else if args.check {
            format!("would change {file}\n")
        } else {
            format!("changed {file}\n")
        }
    });
    lines.collect()
}

fn json(outcomes: &[Outcome], args: &FmtArgs) -> String {
    #[derive(Serialize)]
    struct Answer<'o> {
        files: Vec<File<'o>>,
    }
    #[derive(Serialize)]
    struct File<'o> {
        file: &'o str,
        changed: bool,
        diff: Option<String>,
    }
    let files = outcomes.iter().map(|outcome| File {
        file: &outcome.file,
        changed: outcome.changed(),
        diff: args
            .diff
            .then(|| diff::unified(&outcome.file, &outcome.before, &outcome.after).plain()),
    });
    json_line(&Answer {
        files: files.collect(),
    })
}
