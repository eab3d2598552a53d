//! `fit`: the smallest equivalent policy found, or several.
//!
//! ```text
//! policy ──library's Fit──▶ within the limit ──▶ printed
//!                          └─ above ──Split──▶ several policies: printed, or written by `folder`
//! ```

pub(crate) mod args;
mod folder;

use portcullis::analysis::{self, Fit};
use portcullis::{Api, Policy, PolicyKind};
use serde::Serialize;
use serde_json::value::RawValue;

use self::args::FitArgs;
use self::folder::Folder;
use crate::args::Format;
use crate::diagnostics::json_line;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::policies::{self, has_short_hand};
use crate::reply::Reply;
use crate::target;

/// Answers with the policy, and says on stderr what was won.
pub(crate) fn run(args: &FitArgs, output: &Output) -> Result<Reply, Failure> {
    // Told before there is anything to be lost.
    let folder = (args.out_dir.as_deref())
        .map(|path| Folder::open(path, &args.file))
        .transpose()?;
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
    let mut fit = analysis::fit(original).map_err(cannot)?;
    let mut sids_left_out = false;
    if fit.characters() > args.limit {
        let bare = fit.without_sids();
        // What is split needs no names taken away.
        let is_split = args.split && original.kind() == PolicyKind::Identity;
        let is_enough = bare.characters() <= args.limit;
        if bare.characters() < fit.characters() && (is_enough || !is_split) {
            sids_left_out = true;
            fit = bare;
        }
    }
    let found = Found::new(args, original, &fit)?;
    let mut texts = found.texts.clone();
    if let Some(api) = &api {
        texts = shortened(texts, original, api)?;
    }
    let files = match &folder {
        Some(folder) if found.exit == Exit::Ok => folder.write(&texts)?,
        _ => Vec::new(),
    };
    let text = match args.format {
        Format::Json => json_line(&Answer {
            before: fit.characters_before(),
            after: fit.characters(),
            limit: args.limit,
            fits: fit.characters() <= args.limit,
            proven: fit.is_proven(),
            dead_statements: fit.dead_statements(),
            sids_left_out,
            policies: (texts.into_iter().map(RawValue::from_string))
                .collect::<Result<_, _>>()
                .map_err(|error| Failure::Output(error.into()))?,
            documents: found.documents,
            too_long: &found.too_long,
            files: &files,
        }),
        Format::Human => {
            output.note(&won(&fit, args.limit, sids_left_out));
            if files.is_empty() {
                texts.iter().map(|text| format!("{text}\n")).collect()
            } else {
                files.iter().map(|file| format!("{file}\n")).collect()
            }
        }
    };
    Ok(Reply::new(text, found.exit).with_warnings(found.warning.into_iter().collect()))
}

/// Returns what was won, for reading.
fn won(fit: &Fit, limit: usize, sids_left_out: bool) -> String {
    let (before, after) = (fit.characters_before(), fit.characters());
    let sids = if sids_left_out { ", Sids left out" } else { "" };
    let proof = if fit.is_proven() {
        "proven equal"
    } else {
        "the policy as it was, for what was found could not be proven equal"
    };
    let fewer = before.saturating_sub(after);
    format!("{before} characters became {after}, {fewer} fewer{sids}; limit {limit}; {proof}")
}

/// The policies to be given, and how far that is from what was asked.
struct Found {
    texts: Vec<String>,
    /// How many policies within the limit it takes; `None` where no number does.
    documents: Option<usize>,
    too_long: Vec<usize>,
    warning: Option<String>,
    exit: Exit,
}

impl Found {
    fn new(args: &FitArgs, original: &Policy, fit: &Fit) -> Result<Self, Failure> {
        let over = fit.characters().saturating_sub(args.limit);
        if over == 0 {
            return Ok(Self {
                texts: vec![fit.text()],
                documents: Some(1),
                too_long: Vec::new(),
                warning: None,
                exit: Exit::Ok,
            });
        }
        let split = fit.split(args.limit).map_err(cannot)?;
        let count = split.policies().len();
        let takes = format!("it takes {count} policies of {} characters", args.limit);
        let can_be_several = original.kind() == PolicyKind::Identity;
        let is_split = args.split && can_be_several && split.is_whole();
        let how_far = match split.too_long() {
            [] if !split.is_proven() => format!("{takes}, which could not be proven equal"),
            [] if !can_be_several => {
                format!(
                    "{takes}, and an API has one resource policy: ask for a higher quota, or move the list to a firewall in front of the API"
                )
            }
            [] if !args.split => format!("{takes}, which --split makes"),
            [] => format!("{takes}, all in force together: attach every one of them"),
            list => {
                let numbers: Vec<String> = list.iter().map(ToString::to_string).collect();
                format!(
                    "too long for a policy of its own, and in no list that can be cut: statement {} of what was found",
                    numbers.join(", ")
                )
            }
        };
        Ok(Self {
            texts: match args.split {
                true if is_split => split.texts(),
                true => vec![fit.text()],
                false => Vec::new(),
            },
            documents: split.is_whole().then_some(count),
            too_long: split.too_long().to_vec(),
            warning: Some(format!(
                "{over} characters too many for one policy; {how_far}"
            )),
            exit: if is_split { Exit::Ok } else { Exit::Findings },
        })
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    before: usize,
    after: usize,
    limit: usize,
    fits: bool,
    proven: bool,
    dead_statements: usize,
    sids_left_out: bool,
    policies: Vec<Box<RawValue>>,
    documents: Option<usize>,
    too_long: &'a [usize],
    files: &'a [String],
}

/// Returns the texts with the API's resources in short-hand again, if those are the same policies.
fn shortened(texts: Vec<String>, original: &Policy, api: &Api) -> Result<Vec<String>, Failure> {
    let short: Vec<String> = (texts.iter())
        .map(|text| text.replace(&format!("\"{api}"), "\"execute-api:/"))
        .collect();
    let read: Result<Vec<Policy>, _> = (short.iter())
        .map(|text| Policy::from_json_as(text, original.kind()))
        .collect();
    let Ok(read) = read else { return Ok(texts) };
    let expanded: Vec<Policy> = (read.iter())
        .map(|policy| policy.with_short_hand_expanded(api))
        .collect();
    let original = core::slice::from_ref(original);
    let is_same = (analysis::diff(original, &expanded).map_err(cannot)?).is_empty();
    Ok(if is_same { short } else { texts })
}

fn cannot(error: analysis::AnalysisError) -> Failure {
    Failure::Build {
        message: error.to_string(),
        place: None,
    }
}
