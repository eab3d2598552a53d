//! The arguments of `fit`.

use std::path::PathBuf;

use clap::Args;

use crate::args::{ApiArgs, Kind};

#[derive(Debug, Args)]
pub(crate) struct FitArgs {
    /// The policy, `-` for stdin
    #[arg(value_name = "POLICY")]
    pub(crate) file: PathBuf,
    /// The characters that a policy may have, counted without white space and with short-hand expanded
    #[arg(long, value_name = "CHARACTERS", default_value_t = 8192)]
    pub(crate) limit: usize,
    /// Where one policy cannot hold it: print what was found all the same, and say on stderr how many it takes
    #[arg(long)]
    pub(crate) split: bool,
    /// What the policy is attached to [default: resource if a statement has a Principal, else identity]
    #[arg(long, value_enum)]
    pub(crate) kind: Option<Kind>,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

pub(crate) const HELP: &str = "\
Prints the smallest policy found that decides every request alike, on one line: CIDR blocks are joined, \
statements that can change no decision and patterns that others cover are left out, and statements \
become one where they differ in one list of alternatives only, such as the paths of one allow list. \
Before it is printed it is compared with the original about all requests, as `portcullis diff` does.

Sids are kept, unless the limit is passed with them. Short-hand resources stay short-hand, but count \
as they are stored: with the ARN of the API that the flags name, or of a placeholder as long.

Examples:
  portcullis fit policy.json > smaller.json
  portcullis fit policy.json --limit 8192 --split
  sam-translated-policy | portcullis fit -

Exit codes:
  0  printed, within the limit
  1  the smallest policy found is above the limit; it is printed with --split alone
  2  no answer: wrong usage, a file that cannot be read, an invalid policy";
