//! `diff`: which requests two sets of policies decide differently.
//!
//! ```text
//! OLD, NEW ──policies──▶ library's Difference ──human | json | markdown──▶ Reply
//! ```

pub(crate) mod args;
mod human;
mod json;
mod markdown;
mod words;

use std::path::PathBuf;

use portcullis::analysis::{self, Difference};
use portcullis::{Decision, Policy};

use self::args::{DiffArgs, DiffFormat, FailOn};
use self::words::Names;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::policies::{self, LoadedPolicy, has_short_hand};
use crate::reply::Reply;
use crate::target;
use crate::terminal::visible;

/// Answers with the regions in which the sides differ.
pub(crate) fn run(args: &DiffArgs) -> Result<Reply, Failure> {
    let old_files: Vec<PathBuf> = args.old.iter().chain(&args.more_old).cloned().collect();
    let new_files: Vec<PathBuf> = args.new.iter().chain(&args.more_new).cloned().collect();
    for (files, flag) in [(&old_files, "--old"), (&new_files, "--new")] {
        if files.is_empty() {
            return Err(Failure::usage(
                format!("there is no policy on the side of {flag}"),
                "give OLD and NEW, or --old FILE and --new FILE",
            ));
        }
    }
    // Together, so that the faults of all are told, and stdin is read once.
    let files: Vec<PathBuf> = old_files.iter().chain(&new_files).cloned().collect();
    let mut loaded = policies::load(&files, args.kind)?;
    let mut warnings = Vec::new();
    let short_hand = loaded.iter().any(|loaded| has_short_hand(&loaded.policy));
    let mut names = Names::default();
    if short_hand {
        let api = target::placeholder(&args.api)?;
        let is_named = [&args.api.region, &args.api.account, &args.api.api_id]
            .iter()
            .all(|flag| flag.is_some());
        if !is_named && loaded.iter().any(|loaded| has_full(&loaded.policy)) {
            warnings.push(format!(
                "short-hand resources stand beside full ARNs, and are compared as those of a placeholder, `{}`; \
                 --region, --account and --api-id name the API",
                visible(&api.to_string())
            ));
        }
        policies::expand(&mut loaded, &api);
        names.api = Some(api.to_string());
    }
    let new = loaded.split_off(old_files.len());
    let old = loaded;
    names.old = files_of(&old);
    names.new = files_of(&new);
    let side = |side: &[LoadedPolicy]| -> Vec<Policy> {
        side.iter().map(|loaded| loaded.policy.clone()).collect()
    };
    let difference = analysis::diff(&side(&old), &side(&new)).map_err(|error| Failure::Build {
        message: error.to_string(),
        place: None,
    })?;
    let text = match args.format {
        DiffFormat::Human => human::answer(&difference, &names, args.all),
        DiffFormat::Json => json::answer(&difference),
        DiffFormat::Markdown => markdown::answer(&difference, &names, args.all),
    };
    Ok(Reply::new(text, exit(&difference, args.fail_on)).with_warnings(warnings))
}

fn files_of(side: &[LoadedPolicy]) -> Vec<String> {
    side.iter().map(|loaded| loaded.file.clone()).collect()
}

/// Returns whether a resource is written in full.
fn has_full(policy: &Policy) -> bool {
    let mut patterns =
        (policy.statements().iter()).flat_map(|statement| &statement.resource.patterns);
    patterns.any(|text| text.value.raw().starts_with("arn:"))
}

fn exit(difference: &Difference, fail_on: FailOn) -> Exit {
    let fails = match fail_on {
        FailOn::Difference => !difference.is_empty(),
        FailOn::Allow => {
            (difference.regions().iter()).any(|region| region.after() == Decision::Allow)
        }
    };
    if fails { Exit::Denied } else { Exit::Ok }
}
