//! Runs the binary as a user would.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

/// What a run left behind.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: Option<i32>,
}

/// Returns the binary, to be run in the folder of example policies.
pub(crate) fn portcullis() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.current_dir(policies()).env_remove("NO_COLOR");
    command
}

/// Returns the folder of example policies.
pub(crate) fn policies() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/policies")
}

/// Runs with the words of `line` as arguments and nothing on stdin.
pub(crate) fn run(line: &str) -> Outcome {
    run_with(line, "")
}

/// Runs with the words of `line` as arguments and `input` on stdin.
pub(crate) fn run_with(line: &str, input: &str) -> Outcome {
    let words: Vec<&str> = line.split_whitespace().collect();
    run_args(&words, input)
}

/// Runs with these arguments and `input` on stdin.
pub(crate) fn run_args(args: &[&str], input: &str) -> Outcome {
    let mut child = portcullis()
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // Both pipes are small: whoever wrote everything before reading could wait for ever. A run
    // that does not read its stdin closes it, which is no failure.
    let writer = thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Outcome {
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code(),
    }
}
