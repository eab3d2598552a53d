//! The command line, parsed and nothing more: no file is opened and no address read here.

use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::fmt::{FMT_HELP, FmtArgs};
use crate::map::args::{MAP_HELP, MAP_USAGE, MapArgs};
use crate::replay::args::{REPLAY_HELP, ReplayArgs};
use crate::test::{TEST_HELP, TestArgs};

/// Decides whether a request from an IP address may reach an API, by IAM-style policies.
#[derive(Debug, Parser)]
#[command(
    name = "portcullis",
    bin_name = "portcullis",
    version,
    styles = STYLES,
    max_term_width = 100,
    long_about = ABOUT,
    after_long_help = AFTER_HELP,
)]
pub(crate) struct Cli {
    /// Whether to colour the output
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Decide about one request
    #[command(override_usage = CHECK_USAGE, after_long_help = CHECK_HELP)]
    Check(QuestionArgs),
    /// Decide about one request, and draw why on the policy's own text
    #[command(override_usage = EXPLAIN_USAGE, after_long_help = EXPLAIN_HELP)]
    Explain(QuestionArgs),
    /// Decide about many requests, one JSON object a line
    #[command(after_long_help = EVAL_HELP)]
    Eval(EvalArgs),
    /// Run tables of requests, and compare the decisions with those expected
    #[command(after_long_help = TEST_HELP)]
    Test(TestArgs),
    /// Decide about recorded traffic: who would have been refused, or let in
    #[command(after_long_help = REPLAY_HELP, mut_arg("files", |arg| arg.help(DOCUMENTS)))]
    Replay(ReplayArgs),
    /// Find what is probably not meant as it is written, and mend it
    #[command(after_long_help = crate::lint::args::HELP)]
    Lint(crate::lint::args::LintArgs),
    /// Compare the decisions of two policies about all requests
    #[command(override_usage = crate::diff::args::USAGE, after_long_help = crate::diff::args::HELP)]
    Diff(crate::diff::args::DiffArgs),
    /// Draw what every source address gets
    #[command(
        override_usage = MAP_USAGE,
        after_long_help = MAP_HELP,
        mut_arg("source_ip", |arg| arg.hide(true)),
        mut_arg("files", |arg| arg.help(DOCUMENTS)),
    )]
    Map(MapArgs),
    /// Show what the policies compile to
    #[command(after_long_help = INSPECT_HELP)]
    Inspect(InspectArgs),
    /// Lay policies out in canonical form
    #[command(after_long_help = FMT_HELP)]
    Fmt(FmtArgs),
    /// Find the smallest policy that decides alike
    #[command(after_long_help = crate::fit::args::HELP)]
    Fit(crate::fit::args::FitArgs),
    /// Compile policies into an image, a file that decides at once
    #[command(after_long_help = COMPILE_HELP)]
    Compile(CompileArgs),
    /// Print a completion script for a shell
    #[command(after_long_help = COMPLETIONS_HELP)]
    Completions(CompletionsArgs),
    /// Print the manual pages
    #[command(after_long_help = MAN_HELP)]
    Man(ManArgs),
}

impl Command {
    /// Returns the form of the answer, and of what is said on stderr.
    pub(crate) const fn format(&self) -> Format {
        match self {
            Self::Check(args) | Self::Explain(args) => args.format,
            Self::Map(args) => args.question.format,
            Self::Inspect(args) => args.format,
            Self::Lint(args) => args.format.of_messages(),
            Self::Diff(args) => args.stderr_format(),
            Self::Fit(args) => args.format,
            Self::Fmt(args) => args.format,
            Self::Test(args) => args.format(),
            Self::Replay(args) => args.format.of_diagnostics(),
            Self::Compile(_) | Self::Eval(_) | Self::Completions(_) | Self::Man(_) => Format::Human,
        }
    }
}

/// A request, and the policies that decide about it.
#[derive(Clone, Debug, Args)]
pub(crate) struct QuestionArgs {
    #[command(flatten)]
    pub(crate) policies: PolicyArgs,
    /// The address that the call comes from [default: the request has no `aws:SourceIp`]
    #[arg(long, value_name = "IP", help_heading = REQUEST)]
    pub(crate) source_ip: Option<String>,
    /// The HTTP method that is called, as it stands in ARNs: upper case
    #[arg(long, short = 'X', value_name = "METHOD", help_heading = REQUEST)]
    pub(crate) method: Option<String>,
    /// The path that is called, such as `/pets/1`: without stage and query
    #[arg(long, value_name = "PATH", help_heading = REQUEST)]
    pub(crate) path: Option<String>,
    /// The stage that is called [default: prod, where that cannot change the answer]
    #[arg(long, value_name = "STAGE", help_heading = REQUEST)]
    pub(crate) stage: Option<String>,
    /// What is called as a full ARN, in place of --method, --path and --stage
    #[arg(
        long,
        value_name = "ARN",
        help_heading = REQUEST,
        conflicts_with_all = ["method", "path", "stage"],
    )]
    pub(crate) resource: Option<String>,
    /// What the caller wants to do, as policies name it
    #[arg(
        long,
        value_name = "ACTION",
        help_heading = REQUEST,
        default_value = portcullis::Request::INVOKE
    )]
    pub(crate) action: String,
    /// Who calls: the ARN of a user, role or role session, or KIND=NAME with the kinds `Service`,
    /// `Federated` and `CanonicalUser` [default: an anonymous caller]
    #[arg(long, value_name = "ARN", help_heading = REQUEST)]
    pub(crate) principal: Option<String>,
    /// A further condition key, such as `aws:UserAgent=curl/8.5`; a key given again has several values
    #[arg(long, value_name = "KEY=VALUE", help_heading = REQUEST)]
    pub(crate) context: Vec<String>,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
}

/// The policies, taken together.
#[derive(Clone, Debug, Args)]
pub(crate) struct PolicyArgs {
    /// A policy document, `-` for stdin; given several times, all of them decide together. Or one image
    #[arg(long = "policy", short = 'p', value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// What the policies are attached to [default: for each, resource if a statement has a Principal, else identity]
    #[arg(long, value_enum)]
    pub(crate) kind: Option<Kind>,
}

/// The API that is called, and that short-hand resources (`execute-api:/stage/METHOD/path`) belong to.
///
/// What stands in for a part that is not given is another for each command, so its help says it.
#[derive(Clone, Debug, Args)]
pub(crate) struct ApiArgs {
    /// The partition that the API is in: aws, aws-cn or aws-us-gov
    #[arg(long, value_name = "PARTITION", help_heading = API)]
    pub(crate) partition: Option<String>,
    /// The region that the API is in
    #[arg(long, value_name = "REGION", help_heading = API)]
    pub(crate) region: Option<String>,
    /// The account that owns the API
    #[arg(long, value_name = "ACCOUNT", help_heading = API)]
    pub(crate) account: Option<String>,
    /// The API's id
    #[arg(long, value_name = "ID", help_heading = API)]
    pub(crate) api_id: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    /// The lines of requests, one file after the other [default: stdin]
    #[arg(value_name = "LINES")]
    pub(crate) lines: Vec<PathBuf>,
    /// A policy document for every line; may be given several times. Or one image. Without it each line has its own
    #[arg(long = "policy", short = 'p', value_name = "FILE")]
    pub(crate) policies: Vec<PathBuf>,
    /// What the policies of --policy are attached to [default: for each, resource if a statement has a Principal, else identity]
    #[arg(long, value_enum)]
    pub(crate) kind: Option<Kind>,
    /// Which evaluator answers
    #[arg(long, value_enum, default_value_t = EngineChoice::Compiled)]
    pub(crate) engine: EngineChoice,
    /// Say on stderr how many lines were answered, and how fast
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CompileArgs {
    /// A policy document, `-` for stdin; given several times, all of them decide together
    #[arg(long = "policy", short = 'p', value_name = "FILE", required = true)]
    pub(crate) policies: Vec<PathBuf>,
    /// What the policies are attached to [default: for each, resource if a statement has a Principal, else identity]
    #[arg(long, value_enum)]
    pub(crate) kind: Option<Kind>,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
    /// The image; one that is there is replaced whole
    #[arg(long, short, value_name = "IMAGE")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// A policy document, `-` for stdin; or one image
    #[arg(value_name = "POLICY", required_unless_present = "policies")]
    pub(crate) files: Vec<PathBuf>,
    /// The same, as the other commands take it; may be given several times
    #[arg(long = "policy", short = 'p', value_name = "FILE")]
    pub(crate) policies: Vec<PathBuf>,
    /// What the policies are attached to [default: for each, resource if a statement has a Principal, else identity]
    #[arg(long, value_enum)]
    pub(crate) kind: Option<Kind>,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Print the page of this command instead of the main page
    #[arg(long, value_name = "NAME", conflicts_with = "dir")]
    pub(crate) command: Option<String>,
    /// Write all pages into this folder instead of printing one
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For reading
    Human,
    /// One JSON object, on one line
    Json,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What a policy is attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// To an API: every statement says by its Principal whom it is for
    Resource,
    /// To a user or role: no statement has a Principal, and all are for that caller
    Identity,
}

/// Which evaluator answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EngineChoice {
    /// The engine: policies compiled to tables
    Compiled,
    /// The specification: a loop over statements, slow and simple
    Reference,
}

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// What `--policy` takes where an image has too little in it.
const DOCUMENTS: &str =
    "A policy document, `-` for stdin; given several times, all of them decide together";
const REQUEST: &str = "Request";
const API: &str = "API";

const ABOUT: &str = "\
Decides whether a request from an IP address may reach an API, by IAM-style policies: resource \
policies of an API, identity policies of a caller, or both together. Nothing is sent anywhere and \
no account is needed.

A request gets one of three decisions: an explicit deny if any statement that matches it denies, \
else an allow if any allows, else an implicit deny.";

const AFTER_HELP: &str = "\
Examples:
  Does the office get in?
    portcullis check --policy office-allow-list.json --source-ip 203.0.113.7 -X GET --path /pets

  Why not?
    portcullis explain --policy office-allow-list.json --source-ip 198.51.100.1 -X GET --path /pets

  What is wrong with the policy, and what would a new one change?
    portcullis lint office-allow-list.json
    portcullis diff office-allow-list.json office-allow-list-new.json

  Decide about a million requests
    portcullis eval --policy office-allow-list.json requests.jsonl > decisions.jsonl

Exit codes, for all commands:
  0  allow; equal, nothing found, nothing failed, done
  1  deny, explicit or implicit; a difference, a finding, a case that failed
  2  no answer: wrong usage, a file that cannot be read, an invalid policy, a line that failed

Answers go to stdout, everything else to stderr.";

const CHECK_USAGE: &str = "\
portcullis check [OPTIONS] --policy <FILE> --method <METHOD> --path <PATH>
       portcullis check [OPTIONS] --policy <FILE> --resource <ARN>";

const EXPLAIN_USAGE: &str = "\
portcullis explain [OPTIONS] --policy <FILE> --method <METHOD> --path <PATH>
       portcullis explain [OPTIONS] --policy <FILE> --resource <ARN>";

const CHECK_HELP: &str = "\
The answer:
The first line is the decision: `allow`, `explicit deny` or `implicit deny`. After it comes a line for \
each statement that caused it, with the file, the statement's number from 0, and what in it matched. \
With --format json the answer is one line:
  {\"decision\":\"allow\"|\"explicit_deny\"|\"implicit_deny\",
   \"determining\":[{\"policy\":\"FILE\",\"statement\":0,\"sid\":\"…\"|null}]}
Warnings and errors on stderr are then JSON as well, one object a line, but for a command line that \
cannot be parsed, which is told as text:
  {\"error\":{\"message\":\"…\",\"policy\":…,\"line\":…,\"column\":…,\"path\":…,\"help\":…,
            \"faults\":[…],\"omitted\":0}}
  {\"warning\":{\"message\":\"…\"}}

What is called:
Either --resource gives the full ARN, or --method and --path are given together, and the ARN is put \
together as arn:PARTITION:execute-api:REGION:ACCOUNT:ID/STAGE/METHOD/path. Parts that are left out \
are then aws, us-east-1, 123456789012, a1b2c3d4e5 and prod, but only where that cannot change the \
answer: a part that a resource of the policies names must be given, and so must all parts behind a \
wildcard that is not a whole part (us-*), for a wildcard stops at neither `:` nor `/`. The partition \
is the exception: `aws` is taken even where the policies name it, and --partition must be given only \
where they name another (aws-cn).

Short-hand resources in the policies (execute-api:/stage/METHOD/path) belong to the API that is \
called, unless --partition, --region, --account and --api-id beside --resource name another.

Who calls, and from where:
Without --principal the caller is anonymous, and of all Principals only `*` means that one. A policy \
in which no statement has a Principal is read as an identity policy, which is attached to the caller, \
whoever that is; stderr says so unless --principal or --kind is given. Without --source-ip an IpAddress \
condition does not hold, and a NotIpAddress condition does.

Examples:
  portcullis check -p office.json --source-ip 203.0.113.7 -X GET --path /pets
  portcullis check -p api.json -p partner.json --principal arn:aws:iam::123456789012:user/partner \\
      --source-ip 203.0.113.7 \\
      --resource arn:aws:execute-api:eu-central-1:123456789012:io75qg1rvf/test/GET/pets
  aws apigateway get-rest-api --rest-api-id io75qg1rvf --query policy |
      portcullis check -p - --source-ip 203.0.113.7 -X GET --path /pets --stage test \\
          --region eu-central-1 --account 123456789012 --api-id io75qg1rvf

Exit codes:
  0  allow
  1  deny, explicit or implicit
  2  no answer: wrong usage, a file or address that cannot be read, an invalid policy";

const EXPLAIN_HELP: &str = "\
Takes the arguments of `check` (see `portcullis check --help` for what they mean and what may be left \
out), and gives the same decision. Each statement that caused it is drawn on the policy's text with \
what matched in it: the resource's pattern, and the longest CIDR block that holds the address. After \
an implicit deny, which no statement caused, the nearest miss is drawn: the Allow with the fewest \
elements that do not match, each with what would have to change.

With --format json the answer is one line:
  {\"decision\":\"…\",
   \"determining\":[{\"policy\":\"FILE\",\"statement\":0,\"sid\":…,\"effect\":\"Allow\"|\"Deny\",\"line\":…,\"column\":…,
                   \"resource\":{\"pattern\":\"…\",\"line\":…,\"column\":…}|null,
                   \"prefixes\":[{\"key\":\"…\",\"prefix\":\"…\",\"line\":…,\"column\":…}]}],
   \"nearest\":null|{\"policy\":\"FILE\",\"statement\":0,\"sid\":…,\"line\":…,\"column\":…,
              \"unmet\":[{\"element\":\"…\",\"message\":\"…\",\"help\":\"…\",\"line\":…,\"column\":…}]}}

Examples:
  portcullis explain -p office.json --source-ip 198.51.100.1 -X GET --path /pets
  portcullis explain -p office.json --source-ip 203.0.113.7 --format json -X GET --path /pets

Exit codes: as `check`
  0  allow
  1  deny, explicit or implicit
  2  no answer";

const EVAL_HELP: &str = "\
A line in:
  {\"id\": any JSON, may be left out,
   \"policies\": [{\"kind\":\"resource\"|\"identity\",\"document\":{…}}], not with --policy,
   \"request\": {\"principal\": null | \"ARN\" | {\"AWS\"|\"Service\"|\"Federated\"|\"CanonicalUser\":\"…\"},
               \"action\": \"execute-api:Invoke\",
               \"resource\": \"arn:aws:execute-api:…\",
               \"context\": {\"aws:SourceIp\":\"203.0.113.7\", KEY: VALUE, …}}}
where a VALUE is a text, a number, true, false, a list of these, or null for a missing key.
A line out, in the same order:
  {\"id\":…,\"decision\":\"allow\"|\"explicit_deny\"|\"implicit_deny\"}
  {\"id\":…,\"error\":{\"message\":\"…\",\"line\":…,\"column\":…,\"path\":\"…\"}}
where line and column are those of the input: lines count through all files, columns in characters \
from 1. A document may also be a JSON string that holds one. Empty lines are passed over. A line \
that fails does not end the run.

Fields that the line has besides are passed over, unless they look like one of these misspelt. \
Fields that the request has besides are errors, all but `resourceAccount`, and so is a key of the \
context that is given twice (case does not count).

An aws:SourceIp that is no address is not an error here: it meets every address condition of a \
Deny and none of an Allow. Short-hand resources belong to the API of the \
line's own resource.

Examples:
  portcullis eval --policy office.json requests.jsonl > decisions.jsonl
  tail -f access.jsonl | portcullis eval --policy office.json
  portcullis eval --engine reference < questions-with-their-own-policies.jsonl

Exit codes:
  0  every line was answered, whatever the decisions
  2  some line failed, or the run could not start";

const COMPILE_HELP: &str = "\
`check`, `explain`, `eval` and `inspect` take the image in place of the policies, alone: it holds all \
of them. It is made for this release; after an update compile anew. It is written beside its place and \
renamed, so nobody ever reads half of one.

What an image does not hold is the policies' text: `explain` then tells statement, line and column \
and draws nothing, and what is called must be named whole, by --resource or by --stage, --region, \
--account and --api-id beside --method and --path. Its policies are named IMAGE#0, IMAGE#1 and so on, \
in the order they were given.

Short-hand resources need the API: --region, --account and --api-id, and --partition unless it is aws.

Examples:
  portcullis compile -p block-list.json -o block-list.img
  portcullis check -p block-list.img --source-ip 203.0.113.7 \\
      --resource arn:aws:execute-api:eu-central-1:123456789012:io75qg1rvf/test/GET/pets

Exit codes:
  0  written
  2  not written: an unreadable file, an invalid policy, a limit of the engine";

const INSPECT_HELP: &str = "\
Shows the policies and what the engine made of them: strategy, counts, and the sections of its \
tables with their sizes. With --format json the answer is one line:
  {\"policies\":[{\"policy\":\"FILE\",\"kind\":\"resource\"|\"identity\"|\"image\",\"statements\":1,\"short_hand\":false}],
   \"strategy\":\"…\",\"counts\":{NAME:1},\"sections\":[{\"name\":\"…\",\"items\":1,\"bytes\":1}]}

Short-hand resources need an API to be compiled for; where the API flags do not name it, a \
placeholder stands in and stderr says so.

Examples:
  portcullis inspect block-list.json
  portcullis inspect -p api.json -p partner.json --format json

Exit codes:
  0  shown
  2  no answer: an unreadable file, an invalid policy, a limit of the engine";

const COMPLETIONS_HELP: &str = "\
Examples:
  portcullis completions bash > ~/.local/share/bash-completion/completions/portcullis
  portcullis completions zsh > ~/.zfunc/_portcullis
  portcullis completions fish > ~/.config/fish/completions/portcullis.fish

Exit codes:
  0  printed
  2  wrong usage";

const MAN_HELP: &str = "\
Examples:
  portcullis man | man -l -
  portcullis man --command check | man -l -
  portcullis man --dir ~/.local/share/man/man1

Exit codes:
  0  printed, or written
  2  wrong usage, or the folder cannot be written to";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
