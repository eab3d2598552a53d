//! The arguments of `diff`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::args::{ApiArgs, Format, Kind};

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The policy as it is, `-` for stdin
    #[arg(value_name = "OLD")]
    pub(crate) old: Option<PathBuf>,
    /// The policy as it is to be
    #[arg(value_name = "NEW")]
    pub(crate) new: Option<PathBuf>,
    /// A further policy of the old side; all of a side decide together
    #[arg(long = "old", value_name = "FILE")]
    pub(crate) more_old: Vec<PathBuf>,
    /// A further policy of the new side
    #[arg(long = "new", value_name = "FILE")]
    pub(crate) more_new: Vec<PathBuf>,
    /// What the policies are attached to [default: for each, resource if a statement has a Principal, else identity]
    #[arg(long, value_enum)]
    pub(crate) kind: Option<Kind>,
    /// What makes the exit code 1
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = FailOn::Difference)]
    pub(crate) fail_on: FailOn,
    /// Print long lists of CIDR blocks whole
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = DiffFormat::Human)]
    pub(crate) format: DiffFormat,
}

impl DiffArgs {
    /// Returns the form of what is said on stderr.
    pub(crate) const fn stderr_format(&self) -> Format {
        match self.format {
            DiffFormat::Json => Format::Json,
            DiffFormat::Human | DiffFormat::Markdown => Format::Human,
        }
    }
}

/// The form of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiffFormat {
    /// For reading
    Human,
    /// One JSON object, on one line
    Json,
    /// For a comment on a pull request
    Markdown,
}

/// What makes the exit code 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// Any request that is decided otherwise
    Difference,
    /// A request that became allowed
    Allow,
}

pub(crate) const USAGE: &str = "\
portcullis diff [OPTIONS] <OLD> <NEW>
       portcullis diff [OPTIONS] --old <FILE> --new <FILE>";

pub(crate) const HELP: &str = "\
Compares the decisions about all requests, not the texts: statements in another order, lists cut \
otherwise or a CIDR block split in two are no difference. The answer is a list of regions, what \
became allowed first: the requests of a region come from one of its addresses, satisfy all that it \
asks for and none of its exceptions. Regions may overlap. Each has an example, with the command that \
shows it; a region for which no example was found is marked as unproven, and may be empty.

Each side may be several policies, such as an API's and a caller's: give them with --old and --new.

Short-hand resources (execute-api:/stage/METHOD/path) of both sides belong to one API, the one that the \
API flags name; without them it is a placeholder.

With --format json the answer is one line; counts are texts, for they reach 2^128:
  {\"equal\":false,
   \"gained\":{\"ipv4\":\"128\",\"ipv6\":\"0\"},\"lost\":{\"ipv4\":\"0\",\"ipv6\":\"0\"},
   \"regions\":[{\"before\":\"implicit_deny\",\"after\":\"allow\",\"proven\":true,
     \"when\":[TERM],\"except\":[[TERM]],
     \"addresses\":{\"ipv4\":[\"CIDR\"],\"ipv6\":[\"CIDR\"],\"ipv4_count\":\"128\",\"ipv6_count\":\"0\",
                  \"absent\":false,\"unreadable\":false,\"several\":false},
     \"example\":null|{\"principal\":null|\"ARN\"|{\"Service\":\"…\"},\"action\":\"…\",\"resource\":\"…\",
                     \"context\":{\"aws:SourceIp\":\"…\"}}}]}
where a TERM is {\"element\":\"principal\"|\"action\"|\"resource\",\"negated\":false,\"values\":[\"…\"]} or
{\"element\":\"condition\",\"operator\":\"…\",\"key\":\"…\",\"values\":[\"…\"]}, and of each list under \
`except` not all terms hold. The example is a request as `portcullis eval` takes it.

Examples:
  portcullis diff office.json office-new.json
  portcullis diff --fail-on allow deployed.json proposed.json
  git show main:policy.json | portcullis diff - policy.json --format markdown
  portcullis diff --old api.json --old partner.json --new api.json --new partner-new.json

Exit codes:
  0  equal, or with --fail-on allow: nothing became allowed
  1  different, or with --fail-on allow: something became allowed
  2  no answer: wrong usage, a file that cannot be read, an invalid policy";
