//! `replay`: who would have been refused, or let in, on recorded traffic.
//!
//! ```text
//! log ──source──▶ bytes ──pipeline──▶ line ──format──▶ Record ──ask──▶ request ──judge──▶ outcome
//!                                                                     tally ──report──▶ summary
//! ```
//!
//! - `source`: files and stdin, decompressed;
//! - `pipeline`: lines through several threads, in each `block`;
//! - `format`: lines of many kinds of logs;
//! - `ask`: what a line asks, with `time` for its time;
//! - `judge`: the policies, and those before;
//! - `tally`, `report`: what is counted and how it is told; `progress`: what is shown meanwhile.

pub(crate) mod args;
mod ask;
mod block;
mod format;
mod judge;
mod pipeline;
mod progress;
mod record;
mod report;
mod source;
mod tally;
mod time;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use core::sync::atomic::AtomicU64;

use portcullis::is_address_key;

use self::args::{FailOn, ReplayArgs, ReplayFormat};
use self::ask::{Asking, CURRENT_TIME, EPOCH_TIME, TimeUse, USER_AGENT};
use self::format::NamesOf;
use self::judge::{Judge, Judges};
use self::pipeline::{Run, Settings};
use self::progress::Bar;
use self::record::Slot;
use self::source::{Source, stored_size};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::policies::{self, LoadedPolicy, is_stdin};
use crate::reply::Reply;
use crate::target::{LinePart, LineParts};
use crate::terminal::visible;

/// Replays the logs, and answers with what would have been.
pub(crate) fn run(args: &ReplayArgs, output: &Output) -> Result<Reply, Failure> {
    let logs = logs(args)?;
    let fail_on = fail_on(args)?;
    let fields = fields(&args.fields)?;
    let now = policies::load(&args.policies.files, args.policies.kind)?;
    let before = policies::load(&args.against, args.policies.kind)?;
    let all = || now.iter().chain(&before).map(|loaded| &loaded.policy);
    let asking = Asking {
        parts: LineParts::read(&args.api, args.stage.as_deref(), all())?,
        strip_prefix: args.strip_prefix.clone(),
        time: TimeUse::by(all()),
    };
    let mut warnings = untold_keys(now.iter().chain(&before));
    let judges = Judges::new(now, before)?;
    let names = NamesOf::new(&fields);
    let list = list(args)?;
    let read = Arc::new(AtomicU64::new(0));
    let total = logs.iter().map(|path| stored_size(path)).sum();
    let mut bar = Bar::new(
        output,
        Arc::clone(&read),
        total,
        asking.parts.stage == LinePart::Needed,
    );
    let settings = Settings {
        format: args.log_format,
        names: &names,
        max_bad: args.max_bad,
        workers: std::thread::available_parallelism()
            .map_or(1, usize::from)
            .min(WORKER_LIMIT),
        lists: list.is_some(),
    };
    let sources = logs.iter().map(|path| {
        Source::open(path, &read).map_err(|error| Failure::File {
            file: path.display().to_string(),
            error,
        })
    });
    let judge = || Judge::new(&judges, &asking);
    let ran = pipeline::run(
        sources,
        &settings,
        judge,
        list.unwrap_or_else(|| Box::new(io::sink())),
        &mut bar,
    );
    bar.clear();
    let run = ran?;
    if run.is_cut {
        return Ok(Reply::new(String::new(), exit(&run, fail_on)));
    }
    show_bad(&run, args.format, output);
    refuse_bad(&run, args.max_bad)?;
    if run.unreadable == 0 && run.tally.sum(|_| true) == 0 {
        warnings.push("the logs have no lines, so nothing was asked of the policy".to_owned());
    }
    if run.tally.templates > 0 {
        warnings.push(format!(
            "{} a template as path, such as `/pets/{{id}}`, and the policies were asked about that text; \
             log $context.path to have what was called",
            if run.tally.templates == 1 {
                "1 request has".to_owned()
            } else {
                format!("{} requests have", report::grouped(run.tally.templates))
            }
        ));
    }
    let exit = exit(&run, fail_on);
    let text = match args.format {
        ReplayFormat::Human => report::human(&run, &judges, args.top),
        ReplayFormat::Json => report::json(&run, &judges, args.top),
        ReplayFormat::Jsonl => {
            output.note(report::human(&run, &judges, args.top).trim_end());
            String::new()
        }
    };
    Ok(Reply::new(text, exit).with_warnings(warnings))
}

/// Returns the logs, and refuses what would read stdin twice.
fn logs(args: &ReplayArgs) -> Result<Vec<PathBuf>, Failure> {
    let logs = if args.logs.is_empty() {
        vec![PathBuf::from("-")]
    } else {
        args.logs.clone()
    };
    let policies = args.policies.files.iter().chain(&args.against);
    if logs
        .iter()
        .chain(policies)
        .filter(|path| is_stdin(path))
        .count()
        > 1
    {
        return Err(Failure::usage(
            "stdin is to be read twice",
            "give a log as argument, and the policies as files",
        ));
    }
    // A wrong name should not be found out after an hour.
    for path in logs.iter().filter(|path| !is_stdin(path)) {
        File::open(path).map_err(|error| Failure::File {
            file: path.display().to_string(),
            error,
        })?;
    }
    Ok(logs)
}

fn fail_on(args: &ReplayArgs) -> Result<FailOn, Failure> {
    match (args.fail_on, args.against.is_empty()) {
        (Some(FailOn::Change), true) => Err(Failure::usage(
            "--fail-on change is given without --against, so nothing can change",
            "give --against OLD, or --fail-on deny",
        )),
        (Some(fail_on), _) => Ok(fail_on),
        (None, true) => Ok(FailOn::Never),
        (None, false) => Ok(FailOn::Change),
    }
}

/// Reads the `WHAT=NAME`s.
fn fields(entries: &[String]) -> Result<Vec<(Slot, String)>, Failure> {
    entries
        .iter()
        .map(|entry| {
            let (what, name) = entry
                .split_once('=')
                .filter(|(_, name)| !name.is_empty())
                .ok_or_else(|| {
                    Failure::usage(
                        format!("--field `{}` is no WHAT=NAME", visible(entry)),
                        "write it such as --field source_ip=client.addr",
                    )
                })?;
            let slot = Slot::ALL.into_iter().find(|slot| slot.name() == what);
            let slot = slot.ok_or_else(|| {
                let names: Vec<&str> = Slot::ALL.into_iter().map(Slot::name).collect();
                Failure::usage(
                    format!(
                        "--field `{}` says what nothing of a request is called",
                        visible(what)
                    ),
                    format!("it is one of {}", names.join(", ")),
                )
            })?;
            Ok((slot, name.to_owned()))
        })
        .collect()
}

/// Says which condition keys no log tells: they count as absent.
fn untold_keys<'a>(policies: impl Iterator<Item = &'a LoadedPolicy>) -> Vec<String> {
    let mut untold: Vec<String> = Vec::new();
    for loaded in policies {
        for condition in loaded
            .policy
            .statements()
            .iter()
            .flat_map(|s| &s.conditions)
        {
            let key = &*condition.key.value;
            let is_told = ["aws:SourceIp", USER_AGENT, CURRENT_TIME, EPOCH_TIME]
                .iter()
                .any(|told| told.eq_ignore_ascii_case(key));
            if !is_told && !untold.iter().any(|known| known.eq_ignore_ascii_case(key)) {
                untold.push(key.to_owned());
            }
        }
    }
    untold
        .iter()
        .map(|key| {
            let kind = if is_address_key(key) { "address" } else { "key" };
            format!(
                "no log tells the {kind} `{}`, which a condition of the policies asks for: it counts as absent",
                visible(key)
            )
        })
        .collect()
}

/// Opens where the listed requests go.
fn list(args: &ReplayArgs) -> Result<Option<Box<dyn Write + Send>>, Failure> {
    match (&args.changed, args.format) {
        (Some(_), ReplayFormat::Jsonl) => Err(Failure::usage(
            "both --changed and --format jsonl say where the changed requests go",
            "give one of them",
        )),
        (Some(path), _) => match File::create(path) {
            Ok(file) => Ok(Some(Box::new(BufWriter::new(file)))),
            Err(error) => Err(Failure::File {
                file: path.display().to_string(),
                error,
            }),
        },
        (None, ReplayFormat::Jsonl) => Ok(Some(Box::new(BufWriter::new(io::stdout())))),
        (None, ReplayFormat::Human | ReplayFormat::Json) => Ok(None),
    }
}

/// Shows the first lines that are no requests; as JSON they are in the answer.
fn show_bad(run: &Run, format: ReplayFormat, output: &Output) {
    if format == ReplayFormat::Json || run.unreadable == 0 {
        return;
    }
    for bad in &run.bad {
        output.note(&format!(
            "{}:{}: {}\n    {}",
            visible(&bad.file),
            bad.line,
            visible(&bad.reason),
            bad.excerpt
        ));
    }
    let shown = u64::try_from(run.bad.len()).unwrap_or(0);
    if run.unreadable > shown {
        output.note(&format!(
            "and {} more",
            report::grouped(run.unreadable - shown)
        ));
    }
}

/// Refuses an answer where too much of the logs is not in it.
fn refuse_bad(run: &Run, max_bad: Option<u64>) -> Result<(), Failure> {
    if let Some(max_bad) = max_bad
        && run.unreadable > max_bad
    {
        return Err(Failure::usage(
            format!(
                "more lines are no requests than --max-bad {max_bad} allows: at least {}",
                report::plural(run.unreadable, "line")
            ),
            "see which they are above; --log-format and --field say how lines are read",
        ));
    }
    if run.unreadable > 0 && run.tally.sum(|_| true) == 0 {
        return Err(Failure::usage(
            format!(
                "none of the logs' {} is a request{}",
                report::plural(run.unreadable, "line"),
                run.bad
                    .first()
                    .map_or(String::new(), |bad| format!(": {}", bad.reason)),
            ),
            "--log-format and --field say how lines are read",
        ));
    }
    Ok(())
}

fn exit(run: &Run, fail_on: FailOn) -> Exit {
    let is_failed = run.tally.sum(|outcome| {
        let before = outcome.before().map(portcullis::Decision::is_allow);
        match fail_on {
            FailOn::Never => false,
            FailOn::Change => outcome.is_listed(),
            FailOn::Allow => outcome.now().is_allow() && before != Some(true),
            FailOn::Deny => !outcome.now().is_allow() && before != Some(false),
        }
    }) > 0;
    if is_failed { Exit::Denied } else { Exit::Ok }
}

/// More threads than this wait for the one that reads.
const WORKER_LIMIT: usize = 8;
