//! The arguments of `test`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::args::Format;

/// Files of cases, and how to tell what came of them.
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Files of cases, `-` for stdin; a folder stands for the `.yaml` and `.yml` files below it,
    /// and a pattern such as 'tests/**/*.yaml' for the files that match it
    #[arg(value_name = "CASES", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Ask this policy instead of those that the files name; may be given several times
    #[arg(long = "policy", short = 'p', value_name = "FILE")]
    pub(crate) policies: Vec<PathBuf>,
    /// Run only the cases with this text in their name or request, or in the name of a policy
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,
    /// Say which statements and which CIDR blocks no case was decided by
    #[arg(long)]
    pub(crate) coverage: bool,
    /// Fail if fewer of the statements, or of the CIDR blocks, decided a case; says which as --coverage does
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) min_coverage: Option<u8>,
    /// List the cases that pass too
    #[arg(long, short)]
    pub(crate) verbose: bool,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Report::Human)]
    pub(crate) format: Report,
}

impl TestArgs {
    /// Returns the form of what is said on stderr.
    pub(crate) const fn format(&self) -> Format {
        match self.format {
            Report::Json => Format::Json,
            Report::Human | Report::Junit | Report::Tap => Format::Human,
        }
    }
}

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Report {
    /// For reading
    Human,
    /// One JSON object, on one line
    Json,
    #[value(help = "JUnit XML, as CI servers read it")]
    Junit,
    /// The Test Anything Protocol, version 14
    Tap,
}

/// What stands below the arguments in the help.
pub(crate) const TEST_HELP: &str = "\
A file of cases is YAML (so JSON will do):
  policy: office.json               # or `policies: [api.json, partner.json]`, beside this file
  kind: resource                    # or identity; may be left out, as --kind of check
  defaults:                         # for what the cases do not say
    method: GET
    path: /pets
    api: {region: eu-central-1, account: \"123456789012\", id: io75qg1rvf}
  cases:
    - name: the office gets in      # may be left out
      source-ip: [203.0.113.7, 2001:db8:7::1]
      expect: allow
    - name: all others stay outside
      source-ip: [192.0.2.1, missing]
      method: [GET, POST]
      expect: deny
An address that ends in a colon stands in quotes, as \"2001:db8::\": YAML takes it for a key \
otherwise. Several such documents may stand in one file, with `---` between them.

The fields of a request are source-ip, method, path, stage, resource, action, principal, context \
(condition keys with a value or a list of values; ~ takes one of the defaults away) and api \
(partition, region, account, id). Each means what the flag of that name means to `check`, and may be \
left out where the flag may. `missing` is no source address, `anonymous` no principal. A list, but \
for those in context, stands for a case with each of its values; several lists for every combination.

`expect` is allow, explicit deny, implicit deny, or deny for either of these two.

Coverage:
A statement is covered by a case whose decision it caused. A CIDR block is covered by a case that \
such a statement decided by it, as the longest block that holds the address; one of a NotIpAddress \
by a case that it alone kept the statement from. Blocks under ForAllValues and ForAnyValue are not \
counted.

With --format json the answer is one line:
  {\"passed\":1,\"failed\":0,
   \"cases\":[{\"file\":\"…\",\"line\":1,\"name\":\"…\",\"request\":\"…\",\"passed\":true,
             \"expected\":\"allow\"|\"deny\"|\"explicit_deny\"|\"implicit_deny\",\"decision\":\"…\",
             \"determining\":[{\"policy\":\"FILE\",\"statement\":0,\"sid\":\"…\"|null}],
             \"command\":\"portcullis explain …\"}],
   \"coverage\":null|{\"statements\":{\"covered\":1,\"total\":1},\"cidrs\":{\"covered\":1,\"total\":1},
                    \"policies\":[{\"policy\":\"FILE\",
                      \"statements\":[{\"statement\":0,\"sid\":…,\"line\":1,\"column\":1}],
                      \"cidrs\":[{\"statement\":0,\"key\":\"…\",\"cidr\":\"…\",\"line\":1,\"column\":1}]}]}}
where the policies list what is not covered.

Examples:
  portcullis test cases.yaml
  portcullis test 'policies/**/*.yaml' --coverage --min-coverage 100
  portcullis test cases.yaml --policy candidate.json
  portcullis test tests/ --format junit > report.xml

Exit codes:
  0  every case passed
  1  a case failed, or coverage is below --min-coverage
  2  no answer: wrong usage, a file of cases or a policy that cannot be read or is invalid";
