//! What a shell sees: help, completions, manual pages, pipes that close.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod run;

use std::fs;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

use crate::run::{portcullis, run};

const COMMANDS: [&str; 7] = [
    "check",
    "explain",
    "eval",
    "compile",
    "inspect",
    "completions",
    "man",
];

#[test]
fn help_teaches() {
    let main = run("--help");
    assert_eq!((main.stderr.as_str(), main.code), ("", Some(0)));
    for command in COMMANDS {
        assert!(
            main.stdout.contains(&format!("\n  {command} ")),
            "{command}"
        );
        let help = run(&format!("{command} --help"));
        assert_eq!(help.code, Some(0));
        for heading in ["Usage: portcullis ", "\nExamples:\n", "\nExit codes:"] {
            assert!(help.stdout.contains(heading), "{command}: {heading}");
        }
        assert!(help.stdout.contains("\n  2  "), "{command}");
    }
    for code in ["\n  0  ", "\n  1  ", "\n  2  "] {
        assert!(main.stdout.contains(code));
    }
    let defaults = run("check --help").stdout;
    for default in ["us-east-1", "123456789012", "a1b2c3d4e5", "prod"] {
        assert!(defaults.contains(default), "{default}");
    }
}

#[test]
fn version_is_that_of_the_package() {
    let version = run("--version");
    assert_eq!(
        version.stdout,
        format!("portcullis {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn completions_for_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(&format!("completions {shell}"));
        assert_eq!((script.stderr.as_str(), script.code), ("", Some(0)));
        for word in ["explain", "source-ip"] {
            assert!(script.stdout.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn manual_pages() {
    let main = run("man");
    assert_eq!((main.stderr.as_str(), main.code), ("", Some(0)));
    assert!(main.stdout.contains(".TH portcullis 1"), "{}", main.stdout);
    for command in COMMANDS {
        let page = run(&format!("man --command {command}")).stdout;
        assert!(
            page.contains(&format!(".TH portcullis-{command} 1")),
            "{page}"
        );
        assert!(page.contains("Exit codes"));
    }
    let folder = std::env::temp_dir().join(format!("portcullis-man-{}", std::process::id()));
    let written = run(&format!("man --dir {}", folder.display()));
    assert_eq!((written.stdout.as_str(), written.code), ("", Some(0)));
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    let mut expected: Vec<String> = COMMANDS.map(|name| format!("portcullis-{name}.1")).into();
    expected.push("portcullis.1".to_owned());
    expected.sort_unstable();
    assert_eq!(names, expected);
    fs::remove_dir_all(&folder).unwrap();
}

/// Runs with stdout a pipe whose other end is closed already.
fn with_closed_stdout(command: &mut Command, input: &[u8]) -> (String, Option<i32>) {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The run may end before it has read all.
    let _ = child.stdin.take().unwrap().write_all(input);
    let mut stderr = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut stderr)
        .unwrap();
    (stderr, child.wait().unwrap().code())
}

#[test]
fn a_closed_pipe_ends_quietly() {
    for (args, code) in [
        (
            "check -p block-list.json --source-ip 10.0.0.1 -X GET --path /",
            0,
        ),
        (
            "explain -p block-list.json -X GET --path / --source-ip 198.51.100.1",
            1,
        ),
        ("inspect partner-by-iam.json", 0),
        ("completions bash", 0),
        ("man", 0),
        ("--help", 0),
    ] {
        let closed = with_closed_stdout(portcullis().args(args.split(' ')), b"");
        assert_eq!(closed, (String::new(), Some(code)), "{args}");
    }
    let line = br#"{"request":{"action":"a:B","resource":"arn:aws:execute-api:r:1:a/s/GET/","context":{}}}"#;
    let lines = [line.as_slice(), b"\n"].concat().repeat(50_000);
    let closed = with_closed_stdout(portcullis().args(["eval", "-p", "block-list.json"]), &lines);
    assert_eq!(closed, (String::new(), Some(0)));
}
