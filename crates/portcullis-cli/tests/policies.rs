//! Every command of the README of the example policies has the outcome that stands beside it.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod run;

use std::collections::BTreeSet;
use std::fs;

#[test]
fn every_command_of_the_readme() {
    let readme = fs::read_to_string(run::policies().join("README.md")).unwrap();
    let mut rows = 0;
    let asks = |line: &&str| line.starts_with('|') && line.contains("`portcullis ");
    for line in readme.lines().filter(asks) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [_, _, command, outcome] = cells.as_slice() else {
            panic!("four cells: {line}");
        };
        let command = command.trim_matches('`');
        let got = run::run(command.strip_prefix("portcullis ").unwrap());
        let first = got.stdout.lines().next().unwrap_or_default();
        match *outcome {
            "allow" => assert_eq!((first, got.code), ("allow", Some(0)), "{command}"),
            "implicit deny" | "explicit deny" => {
                assert_eq!((first, got.code), (*outcome, Some(1)), "{command}");
            }
            error => {
                let place = error.strip_prefix("error at line ").unwrap();
                let place = place.replace(", column ", ":");
                assert!(got.stderr.contains(&format!(".json:{place}\n")), "{got:?}");
                assert_eq!((got.stdout.as_str(), got.code), ("", Some(2)), "{command}");
            }
        }
        rows += 1;
    }
    assert!(rows >= 35, "only {rows} commands");
}

#[test]
fn every_policy_is_in_the_readme() {
    let readme = fs::read_to_string(run::policies().join("README.md")).unwrap();
    let mut files = BTreeSet::new();
    for folder in ["", "broken/"] {
        for entry in fs::read_dir(run::policies().join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".json") {
                files.insert(format!("[{folder}{name}]({folder}{name})"));
            }
        }
    }
    assert!(files.len() > 10);
    for link in files {
        assert!(readme.contains(&link), "{link}");
    }
}
