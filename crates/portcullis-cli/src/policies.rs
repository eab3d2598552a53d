//! Policies from files: all that are good, or everything that is wrong with the others.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use portcullis::{Api, BuildError, Engine, ParseError, ParseOptions, Policy, PolicyKind};

use crate::args::Kind;
use crate::failure::{BrokenPolicy, Failure, Place, PolicyFault};
use crate::terminal::visible;

/// A policy and the file it came from.
#[derive(Clone, Debug)]
pub(crate) struct LoadedPolicy {
    /// The file's name as given; `<stdin>` for `-`.
    pub(crate) file: String,
    /// The policy.
    pub(crate) policy: Policy,
}

/// An image and the file it came from.
#[derive(Clone, Debug)]
pub(crate) struct LoadedImage {
    /// The file's name as given.
    pub(crate) file: String,
    /// What it decides by.
    pub(crate) engine: Engine,
}

/// What decides.
#[derive(Debug)]
pub(crate) enum Given {
    /// Documents.
    Documents(Vec<LoadedPolicy>),
    /// An image, which is alone.
    Image(LoadedImage),
}

/// Reads `files`: documents, or one image.
pub(crate) fn load_given(files: &[PathBuf], kind: Option<Kind>) -> Result<Given, Failure> {
    let Some(path) = files.iter().find(|path| is_image(path)) else {
        return load(files, kind).map(Given::Documents);
    };
    let file = path.display().to_string();
    if files.len() > 1 {
        return Err(Failure::usage(
            format!(
                "`{}` is an image, which has all its policies in it, and is given beside others",
                visible(&file)
            ),
            "give the image alone, or compile all policies together: \
             portcullis compile --policy FILE --policy FILE -o IMAGE",
        ));
    }
    if kind.is_some() {
        return Err(Failure::usage(
            format!("--kind is given with `{}`, an image", visible(&file)),
            "leave it out, or give it to portcullis compile",
        ));
    }
    match Engine::read_image(path) {
        Ok(engine) => Ok(Given::Image(LoadedImage { file, engine })),
        Err(error) => {
            let error = io::Error::other(error);
            Err(Failure::File { file, error })
        }
    }
}

/// Returns whether a file starts as images do; one that cannot be read does not.
fn is_image(path: &Path) -> bool {
    let mut start = Vec::new();
    // Only a regular file can be read twice.
    let regular = path.metadata().is_ok_and(|metadata| metadata.is_file());
    let read = |file: File| file.take(8).read_to_end(&mut start);
    !is_stdin(path)
        && regular
        && File::open(path).and_then(read).is_ok()
        && Engine::is_image(&start)
}

/// Reads and parses `files`, documents all of them, in order; the faults of all are one failure.
pub(crate) fn load(files: &[PathBuf], kind: Option<Kind>) -> Result<Vec<LoadedPolicy>, Failure> {
    if let Some(image) = files.iter().find(|path| is_image(path)) {
        return Err(Failure::usage(
            format!(
                "`{}` is an image, and the text of a policy is needed here",
                visible(&image.display().to_string())
            ),
            "give the policies that it was compiled from",
        ));
    }
    if files.iter().filter(|file| is_stdin(file)).count() > 1 {
        return Err(Failure::usage(
            "stdin is given as a policy twice",
            "give `-` once, and files for the other policies",
        ));
    }
    let mut loaded = Vec::new();
    let mut broken = Vec::new();
    for path in files {
        let file = if is_stdin(path) {
            "<stdin>".to_owned()
        } else {
            path.display().to_string()
        };
        let options = options(kind);
        let bytes = match read(path, options.limits().text_bytes()) {
            Ok(bytes) => bytes,
            Err(error) => return Err(Failure::File { file, error }),
        };
        match Policy::from_json_bytes(&bytes, &options) {
            Ok(policy) => loaded.push(LoadedPolicy { file, policy }),
            Err(error) => broken.push(BrokenPolicy {
                file,
                faults: faults(&error),
                suppressed: error.suppressed(),
                text: String::from_utf8_lossy(&bytes).into_owned(),
            }),
        }
    }
    if broken.is_empty() {
        Ok(loaded)
    } else {
        Err(Failure::Policies(broken))
    }
}

/// Returns how a document is parsed: of this kind, if one is given.
pub(crate) fn options(kind: Option<Kind>) -> ParseOptions {
    ParseOptions::default().with_kind(kind.map(|kind| match kind {
        Kind::Resource => PolicyKind::Resource,
        Kind::Identity => PolicyKind::Identity,
    }))
}

/// Compiles policies without short-hand.
pub(crate) fn build(policies: &[LoadedPolicy]) -> Result<Engine, Failure> {
    let mut builder = Engine::builder();
    for loaded in policies {
        builder = builder.policy(loaded.policy.clone());
    }
    builder
        .build()
        .map_err(|error| build_failure(&error, policies))
}

/// Says why policies do not compile, and where.
pub(crate) fn build_failure(error: &BuildError, policies: &[LoadedPolicy]) -> Failure {
    let message = error.to_string();
    let place = error.policy().and_then(|index| {
        let LoadedPolicy { file, policy } = policies.get(index)?;
        let statement = policy.statements().get(error.statement()?)?;
        Some(Place {
            file: file.clone(),
            text: policy.source_text().to_owned(),
            position: policy.position(statement.span),
            range: policy.source_range(statement.span),
        })
    });
    Failure::Build { message, place }
}

/// Returns all faults of a document, in the order of the text; never none.
pub(crate) fn faults(error: &ParseError) -> Vec<PolicyFault> {
    error
        .faults()
        .iter()
        .map(|fault| PolicyFault {
            message: fault.message().to_owned(),
            help: fault.help().map(str::to_owned),
            position: fault.position(),
            path: fault.path().to_owned(),
            range: fault.range(),
        })
        .collect()
}

/// Rewrites the short-hand resources of `policies` to those of `api`.
pub(crate) fn expand(policies: &mut [LoadedPolicy], api: &Api) {
    for loaded in policies {
        if has_short_hand(&loaded.policy) {
            loaded.policy = loaded.policy.with_short_hand_expanded(api);
        }
    }
}

/// Returns whether a resource of the policy is written in short-hand.
pub(crate) fn has_short_hand(policy: &Policy) -> bool {
    policy.short_hand().is_some()
}

/// Returns whether a file's name means stdin.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Reads a file, but no more of it than tells that it is longer than a policy may be.
fn read(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let enough = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    if is_stdin(path) {
        io::stdin().lock().take(enough).read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.take(enough).read_to_end(&mut bytes)?;
    }
    if bytes.len() > limit {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("longer than the {limit} bytes that a policy may have"),
        ));
    }
    Ok(bytes)
}
