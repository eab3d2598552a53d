//! The arguments of `fmt`.

use std::path::PathBuf;

use clap::Args;

use crate::args::{Format, Kind};

/// Policies to lay out.
#[derive(Debug, Args)]
pub(crate) struct FmtArgs {
    /// Policy documents, which are rewritten in place; `-` reads stdin and writes stdout
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Write nothing, and name the files that would change
    #[arg(long)]
    pub(crate) check: bool,
    /// Write nothing, and show as a unified diff what would change
    #[arg(long)]
    pub(crate) diff: bool,
    /// Sort the addresses in conditions too: IPv4 first, the lower first, the larger block first
    #[arg(long)]
    pub(crate) sort: bool,
    /// What the policies are attached to [default: for each, resource if a statement has a Principal, else identity]
    #[arg(long, value_enum)]
    pub(crate) kind: Option<Kind>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
}

/// What stands below the arguments in the help.
pub(crate) const FMT_HELP: &str = "\
Lays policies out in one canonical form. Only the layout changes, and no value: the policy that is \
read from the result is equal to the one before.
  - elements in the order Version, Id, Statement; Sid, Effect, Principal, Action, Resource,
    Condition
  - two spaces for each level, a line for each member of an object
  - a list on one line if it fits in 80 characters, else a line for each value
  - strings with escapes only where JSON demands them or a character cannot be seen
  - line feeds between lines, and one at the end
Documents that are escaped as a JSON string become plain ones. Everything else stays as it is \
written: one value alone or in a list, numbers without quotes, addresses without a prefix length, \
host bits, values that stand there twice, the order of lists.

--sort changes the order of addresses besides, which changes no decision; of two equal blocks, \
`explain` names the first.

A policy that does not load is not touched, and no other file of the same run either. A file is \
replaced whole or not at all; one that is canonical already is left alone.

The answer has a line for each file that was or would be changed. With --format json it is one line:
  {\"files\":[{\"file\":\"…\",\"changed\":true,\"diff\":\"…\"|null}]}

Examples:
  portcullis fmt office.json
  portcullis fmt --check policies/*.json
  portcullis fmt --diff --sort block-list.json
  aws apigateway get-rest-api --rest-api-id io75qg1rvf --query policy |
      portcullis fmt - > policy.json

Exit codes:
  0  all files are canonical now, or were already
  1  with --check or --diff: a file would change
  2  no answer: wrong usage, a file that cannot be read or written, an invalid policy";
