//! The binary `portcullis`: checks, explains and evaluates IP policies offline.
//!
//! ```text
//! arguments ──args──▶ Command ──one file a command──▶ Reply | Failure ──output──▶ stdout, stderr, exit code
//! ```
//!
//! A thin shell over the library, which it uses as any caller would. `args` only parses,
//! a command's file builds the library's objects and returns a value, `output` alone
//! prints. Answers go to stdout, everything else to stderr.

mod args;
mod caller;
mod check;
mod compile;
mod diagnostics;
mod diff;
mod escape;
mod eval;
mod excerpt;
mod exit;
mod explain;
mod failure;
mod fit;
mod fmt;
mod inspect;
mod lint;
mod manual;
mod map;
mod nearest;
mod output;
mod policies;
mod question;
mod replace;
mod replay;
mod reply;
mod target;
mod terminal;
mod test;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::exit::Exit;
use crate::output::Output;

fn main() -> Exit {
    let cli = Cli::parse();
    let format = cli.command.format();
    let output = Output::new(cli.color, format);
    let reply = match &cli.command {
        Command::Check(args) => check::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Eval(args) => eval::run(args, &output),
        Command::Diff(args) => diff::run(args),
        Command::Fit(args) => fit::run(args, &output),
        Command::Lint(args) => lint::run(args),
        Command::Compile(args) => compile::run(args, &output),
        Command::Map(args) => map::run(args, &output),
        Command::Replay(args) => replay::run(args, &output),
        Command::Inspect(args) => inspect::run(args),
        Command::Fmt(args) => fmt::run(args),
        Command::Test(args) => test::run(args),
        Command::Completions(args) => Ok(manual::completions(args)),
        Command::Man(args) => manual::pages(args),
    };
    output.finish(reply)
}
