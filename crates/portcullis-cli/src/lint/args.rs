//! The arguments of `lint` and its help.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use portcullis::analysis::lint::Severity;

use crate::args::{ApiArgs, Format, Kind};

#[derive(Debug, Args)]
pub(crate) struct LintArgs {
    /// A policy document, `-` for stdin
    #[arg(value_name = "POLICY", required_unless_present_any = ["policies", "rules", "explain"])]
    pub(crate) files: Vec<PathBuf>,
    /// The same, as the other commands take it; may be given several times
    #[arg(long = "policy", short = 'p', value_name = "FILE")]
    pub(crate) policies: Vec<PathBuf>,
    /// What the policies are attached to [default: for each, resource if a statement has a Principal, else identity]
    #[arg(long, value_enum)]
    pub(crate) kind: Option<Kind>,
    /// The least that makes the exit code 1
    #[arg(long, value_name = "SEVERITY", value_enum, default_value_t = FailOn::Warning)]
    pub(crate) fail_on: FailOn,
    /// Mend what can be mended without changing a decision, in the files themselves
    #[arg(long)]
    pub(crate) fix: bool,
    /// With --fix: print the lines that would change, and change nothing
    #[arg(long, requires = "fix")]
    pub(crate) dry_run: bool,
    /// Leave a rule out; may be given several times
    #[arg(long, value_name = "RULE", help_heading = RULES)]
    pub(crate) allow: Vec<String>,
    /// Leave out all rules but this; may be given several times
    #[arg(long, value_name = "RULE", help_heading = RULES)]
    pub(crate) only: Vec<String>,
    /// Where rules are switched off for good [default: portcullis.toml in the working directory, if there is one]
    #[arg(long, value_name = "FILE", help_heading = RULES)]
    pub(crate) config: Option<PathBuf>,
    /// List the rules
    #[arg(long, help_heading = RULES, conflicts_with_all = ["files", "policies", "explain"])]
    pub(crate) rules: bool,
    /// Say why a rule is there, how to mend what it finds, and when it does not fire
    #[arg(long, value_name = "RULE", help_heading = RULES, conflicts_with_all = ["files", "policies"])]
    pub(crate) explain: Option<String>,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = LintFormat::Human)]
    pub(crate) format: LintFormat,
}

/// The form of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LintFormat {
    /// For reading, drawn on the text
    Human,
    /// One JSON object, on one line
    Json,
    /// SARIF 2.1.0, as code scanning services take it
    Sarif,
}

impl LintFormat {
    /// Returns the form of warnings and errors on stderr.
    pub(crate) const fn of_messages(self) -> Format {
        match self {
            Self::Human => Format::Human,
            Self::Json | Self::Sarif => Format::Json,
        }
    }
}

/// How much a finding must matter to make the exit code 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// Errors only
    Error,
    /// Errors and warnings
    Warning,
    /// Anything
    Note,
}

impl FailOn {
    pub(crate) const fn severity(self) -> Severity {
        match self {
            Self::Error => Severity::Error,
            Self::Warning => Severity::Warning,
            Self::Note => Severity::Note,
        }
    }
}

const RULES: &str = "Rules";

pub(crate) const HELP: &str = "\
Every finding has a rule with a stable id, such as `dead-statement`, a severity, and a place in the \
text. An error is surely not what was meant, a warning probably not; a note is worth knowing and \
often as it should be, so notes alone leave the exit code 0, unless --fail-on note is given. Each \
policy is judged alone.

Short-hand resources (execute-api:/stage/METHOD/path) are those of the API that --region, --account and \
--api-id name. Unless all three are given nothing is known of it, so that a short-hand resource and a \
full ARN are not taken for the same.

--fix changes only the places concerned (duplicate, covered and misspelt CIDRs, dead statements), keeps all \
other formatting, and writes a file only after the result was read again and compared. What is then left \
is printed. The file is replaced whole.

Rules are switched off for the run by --allow and --only, and for good in portcullis.toml:
  [lint]
  allow = [\"ipv4-only-list\"]

  [[lint.statement]]
  sid = \"Partner\"
  allow = [\"allow-only-ip-list\"]
  reason = \"the API has no authorizer\"
An allowance for a statement in which its rule finds nothing is told on stderr.

With --format json the answer is one line:
  {\"findings\":[{\"rule\":\"…\",\"severity\":\"error\"|\"warning\"|\"note\",\"policy\":\"FILE\",\"statement\":0|null,\"sid\":…,
               \"line\":1,\"column\":1,\"end_line\":1,\"end_column\":1,\"message\":\"…\",\"help\":…,
               \"related\":[{\"line\":1,\"column\":1,\"message\":\"…\"}],
               \"fix\":null|{\"title\":\"…\",\"edits\":[{\"start\":0,\"end\":0,\"replacement\":\"…\"}]}}],
   \"errors\":0,\"warnings\":0,\"notes\":0,\"allowed\":0,\"fixed\":0,
   \"unexamined\":[{\"policy\":\"FILE\",\"statement\":0}]}
where start and end count bytes of the file, and `unexamined` lists statements for which \
`dead-statement` would have taken too long. With --format sarif each result has a fingerprint, \
`portcullis/v1`, which stays the same when other lines change.

Examples:
  portcullis lint office.json
  portcullis lint --fix --dry-run policies/*.json
  portcullis lint --format sarif policies/*.json > lint.sarif
  portcullis lint --explain host-bits-set

Exit codes:
  0  nothing found, or only what is below --fail-on
  1  findings
  2  no answer: wrong usage, an unknown rule, an unreadable file, an invalid policy";
