//! `map`: draws what every source address gets.
//!
//! ```text
//! policies, question ──analysis::partition──▶ Partition ──picture──▶ Survey ──▶ Picture ──▶ PNG | SVG | HTML
//!                                                    (old and new)     exact     one resolution
//! ```
//!
//! - `hilbert`: the curve; `window`: where on it the cells of a prefix are;
//! - `picture`: the cells, with exact counts; `story`: what is told of them;
//! - `palette`, `caption`, `grid`, `marks`: colours, words, and what is drawn over the cells;
//! - `raster` with `font`, `svg`, `html`: the three forms;
//! - `summary`: what stdout gets.

pub(crate) mod args;
mod caption;
mod font;
mod grid;
mod hilbert;
mod html;
mod marks;
mod palette;
mod picture;
mod raster;
mod story;
mod summary;
mod svg;
mod window;

use std::fs;
use std::io::{self, IsTerminal};
use std::path::Path;

use ipnet::IpNet;
use portcullis::Policy;
use portcullis::analysis::partition::PartitionError;
use portcullis::analysis::{Partition, partition};

use self::args::{Drawn, MapArgs};
use self::caption::Caption;
use self::picture::{Picture, Survey};
use self::story::Story;
use self::window::Window;
use crate::args::{Format, QuestionArgs};
use crate::check::unclaimed;
use crate::exit::Exit;
use crate::failure::{Failure, Place};
use crate::output::Output;
use crate::policies::{self, LoadedPolicy, is_stdin};
use crate::question::Question;
use crate::reply::Reply;
use crate::target::{Called, PolicyTraits, Target};
use crate::terminal::visible;

/// Draws the picture, and answers with the number of addresses by decision.
pub(crate) fn run(args: &MapArgs, output: &Output) -> Result<Reply, Failure> {
    let drawn = drawn(args)?;
    let within = read_prefix(&args.prefix)?;
    let levels = match (drawn, read_size(args.size)?) {
        (Drawn::Html, levels) => levels.min(PAGE_LEVELS),
        (Drawn::Png | Drawn::Svg, levels) => levels,
    };
    let asked = Asked::read(args)?;
    let now = cut(&asked.question, &asked.policies, within)?;
    let before = match asked.old.as_slice() {
        [] => None,
        old => Some(cut(&asked.question, old, within)?),
    };
    let survey = match &before {
        None => Survey::decisions(&now),
        Some(before) => Survey::changes(before, &now),
    };
    let caption = Caption::new(&survey, asked.lines(args), args.special_use);
    let picture = match drawn {
        Drawn::Png => Picture::new(&survey, levels),
        Drawn::Svg => Picture::with_limit(&survey, levels, SVG_LIMIT, svg::areas_of),
        Drawn::Html => {
            Picture::with_limit(&survey, levels, HTML_LIMIT, |picture| picture.runs.len())
        }
    };
    let hatch = args.special_use;
    let story = Story {
        now: &asked.policies,
        old: &asked.old,
    };
    let bytes = match drawn {
        Drawn::Png => raster::png(&picture, &caption, args.size, hatch),
        Drawn::Svg => svg::svg(&picture, &caption, story, args.size, hatch).into_bytes(),
        Drawn::Html => html::html(&picture, &caption, story, args.size, hatch).into_bytes(),
    };
    let mut warnings = asked.warnings;
    let (drawn_length, length) = (
        picture.window.cell_length,
        Window::new(within, levels).cell_length,
    );
    if drawn_length < length {
        warnings.push(format!(
            "a cell is a /{drawn_length} and not a /{length}, for the file would be too large; \
             --as png or a longer --prefix shows more"
        ));
    }
    if is_stdin(&args.output) {
        output.bytes(&bytes)?;
        return Ok(Reply::new(String::new(), Exit::Ok).with_warnings(warnings));
    }
    let file = args.output.display().to_string();
    fs::write(&args.output, &bytes).map_err(|error| Failure::File {
        file: file.clone(),
        error,
    })?;
    let text = match args.question.format {
        Format::Human => summary::human(&file, &picture),
        Format::Json => summary::json(&file, drawn, asked.question.resource(), &picture),
    };
    Ok(Reply::new(text, Exit::Ok).with_warnings(warnings))
}

/// Policies and question, read from the arguments.
struct Asked {
    policies: Vec<LoadedPolicy>,
    /// The policies of `--diff`.
    old: Vec<LoadedPolicy>,
    question: Question,
    warnings: Vec<String>,
}

impl Asked {
    fn read(args: &MapArgs) -> Result<Self, Failure> {
        let question = &args.question;
        let by_context = |entry: &String| {
            let key = entry.split_once('=').map_or(entry.as_str(), |(key, _)| key);
            key.eq_ignore_ascii_case("aws:SourceIp")
        };
        if question.source_ip.is_some() || question.context.iter().any(by_context) {
            return Err(Failure::usage(
                "a source address is given, and a map is of every source address",
                "leave it out; `portcullis check` answers for one, and --prefix draws some of them",
            ));
        }
        let called = Called::read(question)?;
        let given = &question.policies;
        let files: Vec<_> = given.files.iter().chain(&args.diff).cloned().collect();
        let mut policies = policies::load(&files, given.kind)?;
        let target = Target::read(called, question, PolicyTraits::of(&policies))?;
        if let Some(api) = &target.api {
            policies::expand(&mut policies, api);
        }
        let mut warnings = target.warnings;
        if given.kind.is_none() && question.principal.is_none() {
            warnings.extend(policies.iter().filter_map(unclaimed));
        }
        let old = policies.split_off(given.files.len().min(policies.len()));
        Ok(Self {
            policies,
            old,
            question: Question::read(question, target.resource)?,
            warnings,
        })
    }

    /// Returns what was asked, in words, one fact a line.
    fn lines(&self, args: &MapArgs) -> Vec<String> {
        let QuestionArgs {
            action,
            principal,
            context,
            ..
        } = &args.question;
        let mut lines = vec![
            format!(
                "{} on {}",
                visible(action),
                visible(self.question.resource())
            ),
            format!(
                "caller: {}",
                principal.as_deref().map_or("anonymous".into(), visible)
            ),
        ];
        if !context.is_empty() {
            let entries: Vec<_> = context.iter().map(|entry| visible(entry)).collect();
            lines.push(format!("context: {}", entries.join(", ")));
        }
        lines.push(format!("policies: {}", names(&self.policies)));
        if !self.old.is_empty() {
            lines.push(format!("compared with: {}", names(&self.old)));
        }
        lines
    }
}

fn names(policies: &[LoadedPolicy]) -> String {
    let names: Vec<_> = policies.iter().map(|one| visible(&one.file)).collect();
    names.join(", ")
}

fn cut(question: &Question, loaded: &[LoadedPolicy], within: IpNet) -> Result<Partition, Failure> {
    let policies: Vec<Policy> = loaded.iter().map(|one| one.policy.clone()).collect();
    question
        .with_request(|request| partition(&policies, request, within))
        .map_err(|error| not_cut(&error, loaded))
}

/// Says why policies cannot be drawn, and where.
fn not_cut(error: &PartitionError, policies: &[LoadedPolicy]) -> Failure {
    let place = policies.get(error.policy()).map(|loaded| Place {
        file: loaded.file.clone(),
        text: loaded.policy.source_text().to_owned(),
        position: loaded.policy.position(error.span()),
        range: loaded.policy.source_range(error.span()),
    });
    Failure::Build {
        message: error.to_string(),
        place,
    }
}

/// Returns what to draw as, by the name of the file or by `--as`.
fn drawn(args: &MapArgs) -> Result<Drawn, Failure> {
    if is_stdin(&args.output) {
        if args.drawn_as != Some(Drawn::Svg) && io::stdout().is_terminal() {
            return Err(Failure::usage(
                "the picture would go to the terminal",
                "give --output a file, or send stdout to one",
            ));
        }
        return args.drawn_as.ok_or_else(|| {
            Failure::usage(
                "`--output -` does not say what to draw",
                "add --as png, --as svg or --as html",
            )
        });
    }
    let ending = Path::new(&args.output).extension();
    let ending = ending
        .and_then(|ending| ending.to_str())
        .map(str::to_ascii_lowercase);
    let by_name = match ending.as_deref() {
        Some("png") => Some(Drawn::Png),
        Some("svg") => Some(Drawn::Svg),
        Some("html" | "htm") => Some(Drawn::Html),
        _ => None,
    };
    args.drawn_as.or(by_name).ok_or_else(|| {
        Failure::usage(
            format!(
                "--output `{}` does not end in .png, .svg or .html",
                visible(&args.output.display().to_string())
            ),
            "name the file so, or add --as png, --as svg or --as html",
        )
    })
}

fn read_prefix(text: &str) -> Result<IpNet, Failure> {
    let not_read = || {
        Failure::usage(
            format!("--prefix `{}` is no prefix of addresses", visible(text)),
            "write an address and a length, such as 203.0.0.0/8 or 2001:db8::/32",
        )
    };
    let prefix: IpNet = text.parse().map_err(|_| not_read())?;
    if prefix.trunc() != prefix {
        return Err(Failure::usage(
            format!("--prefix `{prefix}` has host bits set"),
            format!("did you mean {}?", prefix.trunc()),
        ));
    }
    Ok(prefix)
}

/// Returns the levels of quarters of a picture of this many pixels.
fn read_size(size: u32) -> Result<u32, Failure> {
    if size.is_power_of_two() && (64..=4096).contains(&size) {
        return Ok(size.trailing_zeros());
    }
    Err(Failure::usage(
        format!("--size {size} is no size of a Hilbert curve"),
        "give 64, 128, 256, 512, 1024, 2048 or 4096",
    ))
}

/// Areas of an SVG, each of which is some 150 bytes.
const SVG_LIMIT: usize = 12_000;
/// Levels of quarters of an HTML page, whose script lays out every cell: 1024 cells a side.
const PAGE_LEVELS: u32 = 10;
/// Runs of an HTML page, each of which is some 20 bytes.
const HTML_LIMIT: usize = 80_000;
