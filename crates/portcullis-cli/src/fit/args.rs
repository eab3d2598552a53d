//! The arguments of `fit`.

use std::path::PathBuf;

use clap::Args;

use crate::args::{ApiArgs, Format, Kind};

#[derive(Debug, Args)]
pub(crate) struct FitArgs {
    /// The policy, `-` for stdin
    #[arg(value_name = "POLICY")]
    pub(crate) file: PathBuf,
    /// The characters that a policy may have, counted without white space and with short-hand expanded
    #[arg(long, value_name = "CHARACTERS", default_value_t = 8192)]
    pub(crate) limit: usize,
    /// Where one policy cannot hold it: split an identity policy into several, one a line; print of a
    /// resource policy, which an API has one of, what was found, and say on stderr how many it would take
    #[arg(long)]
    pub(crate) split: bool,
    /// With --split: write the policies to NAME-1.json, NAME-2.json … in this folder, which must be empty or new
    #[arg(long, value_name = "FOLDER", requires = "split")]
    pub(crate) out_dir: Option<PathBuf>,
    /// What the policy is attached to [default: resource if a statement has a Principal, else identity]
    #[arg(long, value_enum)]
    pub(crate) kind: Option<Kind>,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
}

pub(crate) const HELP: &str = "\
Prints the smallest policy found that decides every request alike, on one line: CIDR blocks are joined, \
statements that can change no decision and patterns that others cover are left out, and statements \
become one where they differ in one list of alternatives only, such as the paths of one allow list. \
Before it is printed it is compared with the original about all requests, as `portcullis diff` does.

Sids are kept, unless the limit is passed with them and the policy is not split. Short-hand resources stay short-hand, but count \
as they are stored: with the ARN of the API that the flags name, or of a placeholder as long.

Policies of one identity are in force together, so --split puts the statements into as many as it takes, \
and cuts those that are too long at a list of alternatives. Together they are compared with the original, \
and nothing is written that is not proven equal. An API has one resource policy: several would not decide \
together, so those are not made.

With --format json the answer is one line:
  {\"before\":1,\"after\":1,\"limit\":8192,\"fits\":true,\"proven\":true,\"dead_statements\":0,\"sids_left_out\":false,
   \"policies\":[{…}],\"documents\":1,\"too_long\":[],\"files\":[\"FOLDER/NAME-1.json\"]}
where `policies` is what would be printed, `documents` how many policies within the limit it takes, and \
`too_long` lists statements of what was found that cannot be cut to the limit.

Examples:
  portcullis fit policy.json > smaller.json
  portcullis fit sam-policy.json --limit 8192 --format json
  portcullis fit partner.json --limit 2048 --split --out-dir parts

Exit codes:
  0  printed or written, within the limit
  1  the smallest policy found is above the limit, and was not split
  2  no answer: wrong usage, a file that cannot be read or written, an invalid policy";
