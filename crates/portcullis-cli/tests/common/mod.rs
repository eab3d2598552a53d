//! Runs `portcullis eval` on lines of questions.

use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value as Json;

/// The values of `--engine`.
pub(crate) const ENGINES: [&str; 2] = ["reference", "compiled"];

/// Returns an answer for each line, in order, and the exit code.
pub(crate) fn eval(engine: &str, lines: &[String]) -> (Vec<Json>, Option<i32>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(["eval", "--engine", engine])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = lines.join("\n");
    input.push('\n');
    let mut stdin = child.stdin.take().unwrap();
    // Both pipes are small: whoever wrote everything before reading could wait for ever.
    let writer = thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Json> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        answers.len(),
        lines.len(),
        "{engine}: an answer for each line; stderr: {stderr}"
    );
    (answers, output.status.code())
}
