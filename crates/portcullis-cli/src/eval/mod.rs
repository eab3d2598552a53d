//! `eval`: decides about many requests, one JSON object a line.
//!
//! ```text
//! line ──line──▶ fields ──request, policy_set──▶ Request, engine ──answer──▶ line
//!       └─────── pipeline: chunks of lines, several threads, in order ───────┘
//! ```

mod answer;
mod by_api;
mod line;
mod pipeline;
mod policy_set;
mod request;
mod syntax;

use std::fs::File;
use std::io::{self, ErrorKind};
use std::time::Instant;

use self::answer::Answerer;
use self::policy_set::PolicySet;
use crate::args::{EngineChoice, EvalArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::policies::{self, Given, is_stdin};
use crate::reply::Reply;

/// Answers every line on stdout as it goes; the reply has only the exit code.
pub(crate) fn run(args: &EvalArgs, output: &Output) -> Result<Reply, Failure> {
    let started = Instant::now();
    let given = if args.policies.is_empty() {
        if args.kind.is_some() {
            return Err(Failure::usage(
                "--kind is given without --policy, whose policies it is about",
                "give --policy FILE, or say it beside each document of a line, as `\"kind\": \"identity\"`",
            ));
        }
        None
    } else {
        let lines_from_stdin =
            args.lines.is_empty() || args.lines.iter().any(|file| is_stdin(file));
        if lines_from_stdin && args.policies.iter().any(|file| is_stdin(file)) {
            return Err(Failure::usage(
                "both the policy and the lines are to come from stdin",
                "give one of them as a file",
            ));
        }
        Some(match policies::load_given(&args.policies, args.kind)? {
            Given::Documents(loaded) => PolicySet::of_files(loaded, args.engine)?,
            Given::Image(_) if args.engine == EngineChoice::Reference => {
                return Err(Failure::usage(
                    "--engine reference is given with an image, which is compiled",
                    "give the policies themselves, or leave --engine out",
                ));
            }
            Given::Image(image) => PolicySet::of_image(image.engine),
        })
    };
    let inputs = open(args)?;
    let workers = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(WORKER_LIMIT);
    let run = pipeline::run(inputs, io::stdout(), workers, || {
        Answerer::new(given.as_ref(), args.engine)
    });
    let tally = match run.outcome {
        Ok(()) => run.tally,
        // Whoever closed the pipe has read enough.
        Err(pipeline::Trouble::Write(error)) if error.kind() == ErrorKind::BrokenPipe => run.tally,
        Err(pipeline::Trouble::Write(error)) => return Err(Failure::Output(error)),
        Err(pipeline::Trouble::Read { file, error }) => return Err(Failure::File { file, error }),
    };
    if args.verbose {
        let seconds = started.elapsed().as_secs_f64();
        output.note(&format!(
            "{} lines, {} answered, {} failed, in {seconds:.3} s",
            tally.lines,
            tally.lines - tally.failed,
            tally.failed,
        ));
    }
    Ok(Reply::new(
        String::new(),
        if tally.failed == 0 {
            Exit::Ok
        } else {
            Exit::NoAnswer
        },
    ))
}

/// Opens all inputs before the first is read, so that a wrong name costs nothing.
fn open(args: &EvalArgs) -> Result<Vec<pipeline::Input>, Failure> {
    if args.lines.is_empty() {
        return Ok(vec![stdin()]);
    }
    args.lines
        .iter()
        .map(|path| {
            if is_stdin(path) {
                return Ok(stdin());
            }
            let file = path.display().to_string();
            match File::open(path) {
                Ok(reader) => Ok(pipeline::Input {
                    file,
                    reader: Box::new(reader),
                }),
                Err(error) => Err(Failure::File { file, error }),
            }
        })
        .collect()
}

fn stdin() -> pipeline::Input {
    pipeline::Input {
        file: "<stdin>".to_owned(),
        reader: Box::new(io::stdin()),
    }
}

/// More threads than this wait for the one that reads.
const WORKER_LIMIT: usize = 8;
