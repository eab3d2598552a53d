//! `lint`: what is probably not meant as it is written.
//!
//! ```text
//! files ──load──▶ policies ──lint──▶ report ──human | json | sarif──▶ text
//!                     ▲                 │
//!                     └──── fix ◀───────┘   --fix: what is left is what is told
//! ```

pub(crate) mod args;
mod config;
mod fix;
mod human;
mod json;
mod sarif;

use portcullis::analysis::lint::{self, Options, Report, Severity};
use portcullis::policy::Policy;

use self::args::{LintArgs, LintFormat};
use self::config::Switches;
use crate::args::ApiArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::policies::{self, LoadedPolicy, is_stdin};
use crate::reply::Reply;
use crate::target;

/// Answers with what is found, or with what the rules are.
pub(crate) fn run(args: &LintArgs) -> Result<Reply, Failure> {
    if args.rules {
        return Ok(Reply::new(list_of_rules(args.format), Exit::Ok));
    }
    if let Some(id) = &args.explain {
        let id = config::known(id, "--explain")?;
        let page = lint::rule(id).map(lint::Rule::page).unwrap_or_default();
        return Ok(Reply::new(page, Exit::Ok));
    }
    let files: Vec<_> = args.policies.iter().chain(&args.files).cloned().collect();
    if args.fix && files.iter().any(|file| is_stdin(file)) {
        return Err(Failure::usage(
            "stdin cannot be mended in place",
            "give a file with --fix",
        ));
    }
    let switches = Switches::read(args)?;
    let mut options = switches.options();
    let api = target::placeholder(&args.api)?;
    if is_whole(&args.api) {
        options = options.with_api(api.clone());
    }
    let mut loaded = policies::load(&files, args.kind)?;
    let mut report = look(&loaded, &options);
    let mut fixed = 0;
    if args.fix {
        let changes = fix::changes(&loaded, &report, args.kind, &api)?;
        if args.dry_run {
            let exit = if changes.is_empty() {
                Exit::Ok
            } else {
                Exit::Denied
            };
            return Ok(Reply::new(fix::drawn(&loaded, &changes), exit));
        }
        for change in &changes {
            fix::write(files.get(change.policy), change)?;
            fixed += change.fixes;
        }
        if !changes.is_empty() {
            loaded = policies::load(&files, args.kind)?;
            report = look(&loaded, &options);
        }
    }
    let all: Vec<&Policy> = loaded.iter().map(|loaded| &loaded.policy).collect();
    let warnings = switches.unused(&all, &report);
    let text = match args.format {
        LintFormat::Human => human::text(&loaded, &report, fixed),
        LintFormat::Json => json::text(&loaded, &report, fixed),
        LintFormat::Sarif => sarif::text(&loaded, &report),
    };
    let failed =
        (report.findings.iter()).any(|finding| finding.rule.severity >= args.fail_on.severity());
    let exit = if failed { Exit::Denied } else { Exit::Ok };
    Ok(Reply::new(text, exit).with_warnings(warnings))
}

fn look(loaded: &[LoadedPolicy], options: &Options) -> Report {
    let policies: Vec<Policy> = loaded.iter().map(|loaded| loaded.policy.clone()).collect();
    lint::lint(&policies, options)
}

/// Returns whether the API is named: without one of these parts it could be any.
const fn is_whole(api: &ApiArgs) -> bool {
    api.region.is_some() && api.account.is_some() && api.api_id.is_some()
}

fn list_of_rules(format: LintFormat) -> String {
    match format {
        LintFormat::Human => human::rules(),
        LintFormat::Json | LintFormat::Sarif => json::rules(),
    }
}

/// Counts findings of a severity.
fn count(report: &Report, severity: Severity) -> usize {
    let findings = report.findings.iter();
    findings
        .filter(|finding| finding.rule.severity == severity)
        .count()
}
