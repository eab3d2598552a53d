//! Policies → files of a folder.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::policies::is_stdin;
use crate::replace::replace_or_create;
use crate::terminal::visible;

/// A folder that has nothing in it.
///
/// What another run left there would be attached with the rest.
pub(super) struct Folder {
    path: PathBuf,
    /// What the names of files start with.
    name: String,
}

impl Folder {
    /// Takes a folder that is empty or is not there; files will be named as `policy` is.
    pub(super) fn open(path: &Path, policy: &Path) -> Result<Self, Failure> {
        match fs::read_dir(path).map(|mut entries| entries.next()) {
            Ok(None) => {}
            Ok(Some(_)) => {
                return Err(Failure::usage(
                    format!(
                        "--out-dir `{}` is not empty",
                        visible(&path.display().to_string())
                    ),
                    "name a new folder: policies of another run would be taken for these",
                ));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failure(path, error)),
        }
        let stem = policy.file_stem().filter(|_| !is_stdin(policy));
        Ok(Self {
            path: path.to_owned(),
            name: stem.map_or_else(|| "policy".to_owned(), |stem| stem.display().to_string()),
        })
    }

    /// Writes the texts, each to a file of its own, and returns the names.
    pub(super) fn write(&self, texts: &[String]) -> Result<Vec<String>, Failure> {
        fs::create_dir_all(&self.path).map_err(|error| failure(&self.path, error))?;
        let width = texts.len().to_string().len();
        let mut files = Vec::new();
        for (number, text) in (1..).zip(texts) {
            let file = (self.path).join(format!("{}-{number:0width$}.json", self.name));
            let written = replace_or_create(&file, format!("{text}\n").as_bytes());
            written.map_err(|error| failure(&file, error))?;
            files.push(file.display().to_string());
        }
        Ok(files)
    }
}

fn failure(path: &Path, error: io::Error) -> Failure {
    Failure::File {
        file: path.display().to_string(),
        error,
    }
}
