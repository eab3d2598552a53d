//! `inspect`: shows what the policies compile to.

use core::fmt::Write;
use std::collections::BTreeMap;

use portcullis::{Inspection, PolicyKind};
use serde::Serialize;

use crate::args::{Format, InspectArgs};
use crate::diagnostics::json_line;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::policies::{self, Given, LoadedImage, LoadedPolicy, has_short_hand};
use crate::reply::Reply;
use crate::target;
use crate::terminal::visible;

/// Answers with what the engine is made of.
pub(crate) fn run(args: &InspectArgs) -> Result<Reply, Failure> {
    let files: Vec<_> = args.policies.iter().chain(&args.files).cloned().collect();
    let mut loaded = match policies::load_given(&files, args.kind)? {
        Given::Documents(loaded) => loaded,
        Given::Image(LoadedImage { file, engine }) => {
            let inspection = engine.inspect();
            let mut counts = inspection.counts().iter();
            let statements = counts.find(|(name, _)| *name == "statements");
            let statements = statements.and_then(|&(_, count)| usize::try_from(count).ok());
            let shown = vec![Shown {
                policy: file,
                kind: "image",
                statements: statements.unwrap_or_default(),
                short_hand: false,
            }];
            return Ok(Reply::new(text(args, shown, &inspection), Exit::Ok));
        }
    };
    let shown: Vec<Shown> = loaded.iter().map(Shown::of).collect();
    let mut warnings = Vec::new();
    if shown.iter().any(|policy| policy.short_hand) {
        let api = target::placeholder(&args.api)?;
        let named = [&args.api.region, &args.api.account, &args.api.api_id];
        if named.iter().any(|flag| flag.is_none()) {
            warnings.push(format!(
                "short-hand resources are compiled for a placeholder, `{}`",
                visible(&api.to_string())
            ));
        }
        policies::expand(&mut loaded, &api);
    }
    let inspection = policies::build(&loaded)?.inspect();
    Ok(Reply::new(text(args, shown, &inspection), Exit::Ok).with_warnings(warnings))
}

fn text(args: &InspectArgs, shown: Vec<Shown>, inspection: &Inspection) -> String {
    match args.format {
        Format::Json => json(shown, inspection),
        Format::Human => human(&shown, inspection),
    }
}

/// A policy as it was given.
#[derive(Debug, Serialize)]
struct Shown {
    policy: String,
    kind: &'static str,
    statements: usize,
    short_hand: bool,
}

impl Shown {
    fn of(loaded: &LoadedPolicy) -> Self {
        Self {
            policy: loaded.file.clone(),
            kind: match loaded.policy.kind() {
                PolicyKind::Resource => "resource",
                PolicyKind::Identity => "identity",
            },
            statements: loaded.policy.statements().len(),
            short_hand: has_short_hand(&loaded.policy),
        }
    }
}

fn human(policies: &[Shown], inspection: &Inspection) -> String {
    let mut text = String::new();
    for policy in policies {
        let short_hand = if policy.short_hand {
            ", short-hand resources"
        } else {
            ""
        };
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "policy {}: {}, {} {}{short_hand}",
            visible(&policy.policy),
            policy.kind,
            policy.statements,
            if policy.statements == 1 {
                "statement"
            } else {
                "statements"
            },
        );
    }
    let _ = writeln!(text, "\n{inspection}");
    text
}

fn json(policies: Vec<Shown>, inspection: &Inspection) -> String {
    #[derive(Serialize)]
    struct Answer {
        policies: Vec<Shown>,
        strategy: &'static str,
        counts: BTreeMap<String, u64>,
        sections: Vec<Section>,
    }
    #[derive(Serialize)]
    struct Section {
        name: &'static str,
        items: u64,
        bytes: u64,
    }
    json_line(&Answer {
        policies,
        strategy: inspection.strategy(),
        counts: inspection
            .counts()
            .iter()
            .map(|&(label, count)| (key(label), count))
            .collect(),
        sections: inspection
            .sections()
            .iter()
            .map(|section| Section {
                name: section.name,
                items: section.items,
                bytes: section.bytes,
            })
            .collect(),
    })
}

/// Returns the JSON key of a label: `rows, lists of rules` → `rows_lists_of_rules`.
fn key(label: &str) -> String {
    let words = label.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join("_").to_ascii_lowercase()
}
