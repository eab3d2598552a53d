//! `fit`: the smallest equivalent policy found.

pub(crate) mod args;

use core::fmt::Write;

use portcullis::{Api, Policy, analysis};

use self::args::FitArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::policies::{self, has_short_hand};
use crate::reply::Reply;
use crate::target;

/// Answers with the policy, and says on stderr what was won.
pub(crate) fn run(args: &FitArgs, output: &Output) -> Result<Reply, Failure> {
    let mut loaded = policies::load(core::slice::from_ref(&args.file), args.kind)?;
    let api = match loaded.iter().any(|loaded| has_short_hand(&loaded.policy)) {
        true => Some(target::placeholder(&args.api)?),
        false => None,
    };
    if let Some(api) = &api {
        policies::expand(&mut loaded, api);
    }
    let Some(original) = loaded.first().map(|loaded| &loaded.policy) else {
        return Err(Failure::usage(
            "there is no policy",
            "give a file, or `-` for stdin",
        ));
    };
    let cannot = |error: analysis::AnalysisError| Failure::Build {
        message: error.to_string(),
        place: None,
    };
    let mut fit = analysis::fit(original).map_err(cannot)?;
    let mut note = String::new();
    if fit.characters() > args.limit {
        let bare = fit.without_sids();
        if bare.characters() < fit.characters() {
            note.push_str(", Sids left out");
            fit = bare;
        }
    }
    let (before, after) = (fit.characters_before(), fit.characters());
    let proof = if fit.is_proven() {
        "proven equal"
    } else {
        "the policy as it was, for what was found could not be proven equal"
    };
    output.note(&format!(
        "{before} characters became {after}, {} fewer{note}; limit {}; {proof}",
        before.saturating_sub(after),
        args.limit
    ));
    let text = match &api {
        Some(api) => shortened(&fit.text(), original, api).map_err(cannot)?,
        None => fit.text(),
    };
    let text = format!("{text}\n");
    if after <= args.limit {
        return Ok(Reply::new(text, Exit::Ok));
    }
    let (count, too_long) = fit.packing(args.limit);
    let mut message = format!("{} characters too many for one policy", after - args.limit);
    // Writing to a String does not fail.
    if too_long.is_empty() {
        let _ = write!(
            message,
            "; its statements take {count} policies of {} characters",
            args.limit
        );
    } else {
        let list: Vec<String> = too_long.iter().map(ToString::to_string).collect();
        let _ = write!(
            message,
            "; too long for a policy of its own: statement {} of what was found",
            list.join(", ")
        );
    }
    let text = if args.split { text } else { String::new() };
    Ok(Reply::new(text, Exit::Denied).with_warnings(vec![message]))
}

/// Returns the text with the API's resources in short-hand again, if that is the same policy.
fn shortened(text: &str, original: &Policy, api: &Api) -> Result<String, analysis::AnalysisError> {
    let short = text.replace(&format!("\"{api}"), "\"execute-api:/");
    if let Ok(read) = Policy::from_json_as(&short, original.kind()) {
        let expanded = read.with_short_hand_expanded(api);
        if analysis::diff(core::slice::from_ref(original), &[expanded])?.is_empty() {
            return Ok(short);
        }
    }
    Ok(text.to_owned())
}
