//! The command line of `replay`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::format::LogFormat;
use crate::args::{ApiArgs, Format, PolicyArgs};

/// Logs, and the policies to decide about them.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The logs, one after the other, plain or compressed by gzip or zstd; `-` for stdin [default: stdin]
    #[arg(value_name = "LOG")]
    pub(crate) logs: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) policies: PolicyArgs,
    /// A policy as it was before; given several times, all of them decide together
    #[arg(long, value_name = "FILE")]
    pub(crate) against: Vec<PathBuf>,
    /// The form of the logs [default: told from the first lines of each, and said on stderr]
    #[arg(long, value_name = "NAME", value_enum, help_heading = LOG)]
    pub(crate) log_format: Option<LogFormat>,
    /// Where a JSON or CSV log has what, such as `source_ip=client.addr`; may be given several times
    #[arg(long = "field", value_name = "WHAT=NAME", help_heading = LOG)]
    pub(crate) fields: Vec<String>,
    /// What the logged paths start with and the API's do not, such as `/api`: is taken away
    #[arg(long, value_name = "PREFIX", help_heading = LOG)]
    pub(crate) strip_prefix: Option<String>,
    /// Fail after more unreadable lines than this
    #[arg(long, value_name = "N", help_heading = LOG)]
    pub(crate) max_bad: Option<u64>,
    /// The stage that was called [default: the log's; prod, where that cannot change an answer]
    #[arg(long, value_name = "STAGE", help_heading = API)]
    pub(crate) stage: Option<String>,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
    /// Write the changed requests to this file as JSON lines; without --against the denied ones
    #[arg(long, value_name = "FILE")]
    pub(crate) changed: Option<PathBuf>,
    /// What makes the exit code 1 [default: `change` with --against, else `never`]
    #[arg(long, value_name = "WHAT", value_enum)]
    pub(crate) fail_on: Option<FailOn>,
    /// How many prefixes, resources and statements are listed
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) top: usize,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = ReplayFormat::Human)]
    pub(crate) format: ReplayFormat,
}

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReplayFormat {
    /// The summary, for reading
    Human,
    /// The summary as one JSON object, on one line
    Json,
    /// The changed requests, one JSON object a line; the summary goes to stderr
    Jsonl,
}

impl ReplayFormat {
    /// Returns the form of what is said on stderr.
    pub(crate) const fn of_diagnostics(self) -> Format {
        match self {
            Self::Human | Self::Jsonl => Format::Human,
            Self::Json => Format::Json,
        }
    }
}

/// What makes the exit code 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// Some request's decision changed (needs --against)
    Change,
    /// Some request became allowed; without --against: is allowed
    Allow,
    /// Some request is no longer allowed; without --against: is denied
    Deny,
    /// Nothing
    Never,
}

const LOG: &str = "Log";
const API: &str = "API";

/// The long help.
pub(crate) const REPLAY_HELP: &str = "\
The logs:
  apigw       API Gateway, JSON, with the names of $context in any of the usual spellings
              (ip, sourceIp, identity.sourceIp, $context.identity.sourceIp …)
  clf         API Gateway, CLF: ip caller user [time] \"GET /pets HTTP/1.1\" status bytes id
  cloudfront  CloudFront standard logs, tab separated, with #Fields
  alb         Application Load Balancer
  nginx       nginx and Apache, combined
  envoy       Envoy and Istio, JSON
  csv         Comma separated, the first line has the names; a field does not go over a line's end
  json        JSON lines with other names
Names are looked for in many spellings; --field says those that are not found: WHAT is one of \
source_ip, method, path, staged_path, template, request (a whole `GET /pets HTTP/1.1`), stage, \
api_id, account_id, principal, user_agent, date, time, epoch_ms. A NAME with dots goes into objects.

What is asked:
The source address is what the log calls the client. X-Forwarded-For is never used: anybody can send it. \
The path is taken as logged, without query and not percent-decoded. Where API Gateway logs `path`, the \
stage in front of it is taken away; where it logs only `resourcePath`, the policy is asked about that \
template (`/pets/{id}`), which stderr says. Stage, API and account are those of the line unless a flag \
gives them; what neither gives is guessed only where no resource of the policies names it, as `check` \
does. A user's ARN is the principal; without one the caller is anonymous. The user agent is aws:UserAgent, \
and the time of the line, not of today, aws:CurrentTime and aws:EpochTime.

A line that is no request is counted, and the first few are shown with file, line and reason: one that \
cannot be parsed, has no address, or has one that cannot be read. Empty lines and comments are no lines. \
All other lines get a decision.

The answer:
With --against, the requests of which the decision changed, by kind of change: each with the address \
prefixes (IPv4 /24, IPv6 /48), resources and statements that have most of them. Without, the same for \
the denied. Counts of prefixes and resources are exact up to 16,384 different ones; beyond, rare ones are \
given up and the others are lower bounds, which the answer says. A changed request as a JSON line:
  {\"file\":\"…\",\"line\":1,\"source_ip\":\"…\",\"method\":\"…\",\"path\":\"…\",\"resource\":\"arn:…\",
   \"before\":\"allow\",\"decision\":\"explicit_deny\",
   \"determining\":[{\"policy\":\"FILE\",\"statement\":0,\"sid\":\"…\"|null}],\"determining_before\":[…]}
where `before` and `determining_before` are missing without --against, and no statement determines an \
implicit deny. They are in the order of the logs.
With --format json the answer is one line:
  {\"requests\":1,\"unreadable\":0,\"bad_lines\":[{\"file\":\"…\",\"line\":1,\"reason\":\"…\"}],
   \"path_templates\":0,\"decisions\":{\"allow\":1,\"explicit_deny\":0,\"implicit_deny\":0},
   \"changes\":[{\"before\":\"…\"|null,\"decision\":\"…\",\"requests\":1,
               \"prefixes\":[{\"prefix\":\"…\",\"requests\":1}],\"prefix_error\":0,
               \"resources\":[{\"resource\":\"GET /pets\",\"requests\":1}],\"resource_error\":0,
               \"statements\":[{\"policy\":\"FILE\",\"statement\":0,\"sid\":\"…\"|null,\"requests\":1}],
               \"explained\":1}]}

Examples:
  What would the new policy change for last week's clients?
    portcullis replay access-*.log.gz --policy new.json --against old.json

  Whom does it refuse, from a load balancer's log, for an API below /api?
    portcullis replay alb.log --policy new.json --strip-prefix /api --stage prod

  In a pipeline: fail only if somebody loses access, and keep the list
    portcullis replay log.json -p new.json --against old.json --fail-on deny --changed lost.jsonl

  Own field names
    portcullis replay app.jsonl -p new.json --log-format json --field source_ip=client.addr

Exit codes:
  0  no request changed (without --against: always, unless --fail-on)
  1  some request changed, or what --fail-on says happened
  2  no answer: wrong usage, a file that cannot be read, an invalid policy, lines of which none
     is a request, more unreadable lines than --max-bad";
