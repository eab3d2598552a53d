//! Arguments → the files of cases that they name, each once, in a stable order.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern, glob_with};

use crate::failure::Failure;
use crate::policies::is_stdin;
use crate::terminal::visible;

/// Returns the files that the arguments name: a file as it is, a folder for what is below
/// it, a pattern for what matches it.
pub(super) fn find(arguments: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for argument in arguments {
        if is_stdin(argument) {
            found.push(argument.clone());
        } else if argument.is_dir() {
            found.extend(below(argument)?);
        } else if let (false, Some(pattern)) = (argument.exists(), pattern(argument)) {
            found.extend(matching(pattern)?);
        } else {
            found.push(argument.clone());
        }
    }
    let mut seen = HashSet::new();
    found.retain(|path| seen.insert(path.clone()));
    Ok(found)
}

/// Reads a file: its name for messages, and its text.
pub(super) fn read(path: &Path) -> Result<(String, String), Failure> {
    let stdin = is_stdin(path);
    let file = if stdin {
        "<stdin>".to_owned()
    } else {
        path.display().to_string()
    };
    let mut bytes = Vec::new();
    let read = if stdin {
        io::stdin().lock().take(LIMIT + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes))
    };
    let text = read.and_then(|_| {
        if u64::try_from(bytes.len()).is_ok_and(|length| length > LIMIT) {
            let message = format!("longer than the {LIMIT} bytes that a file of cases may have");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
        }
        String::from_utf8(bytes)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "the text is not UTF-8"))
    });
    match text {
        Ok(text) => Ok((file, text)),
        Err(error) => Err(Failure::File { file, error }),
    }
}

/// Returns the files of cases below a folder.
fn below(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let name = folder.to_string_lossy();
    let mut found = Vec::new();
    for extension in ["yaml", "yml"] {
        let pattern = format!(
            "{}/**/*.{extension}",
            Pattern::escape(name.trim_end_matches('/'))
        );
        found.extend(expand(&pattern)?);
    }
    found.sort();
    if found.is_empty() {
        return Err(Failure::usage(
            format!(
                "no `.yaml` or `.yml` file is below the folder `{}`",
                visible(&name)
            ),
            "name the files of cases, or a pattern for them",
        ));
    }
    Ok(found)
}

/// Returns an argument's text if it is a pattern.
fn pattern(argument: &Path) -> Option<&str> {
    argument
        .to_str()
        .filter(|text| text.contains(['*', '?', '[']))
}

fn matching(pattern: &str) -> Result<Vec<PathBuf>, Failure> {
    let found = expand(pattern)?;
    if found.is_empty() {
        return Err(Failure::usage(
            format!("no file matches `{}`", visible(pattern)),
            "`*` stands for any part of a name, `**` for any folders",
        ));
    }
    Ok(found)
}

fn expand(pattern: &str) -> Result<Vec<PathBuf>, Failure> {
    let options = MatchOptions {
        require_literal_separator: true,
        require_literal_leading_dot: true,
        ..MatchOptions::default()
    };
    let paths = glob_with(pattern, options).map_err(|error| {
        Failure::usage(
            format!("`{}` is no pattern of files: {}", visible(pattern), error.msg),
            "`*` stands for any part of a name, `**` for any folders, `[…]` for one of some characters",
        )
    })?;
    let mut found = Vec::new();
    for path in paths {
        let path = path.map_err(|error| Failure::File {
            file: error.path().display().to_string(),
            error: error.into(),
        })?;
        if !path.is_dir() {
            found.push(path);
        }
    }
    Ok(found)
}

/// Bytes that a file of cases may have.
const LIMIT: u64 = 64 << 20;
