//! The outputs that the main README and the tour show are those of the binary.
#![expect(clippy::unwrap_used, reason = "what cannot be run must fail")]

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn the_readme_is_what_the_binary_prints() {
    let root = root();
    let commands = run_blocks(&root.join("README.md"), &root);
    assert!(commands >= 6, "{commands} commands found");
}

/// Every command is walked through, in a copy of the folder: some write files.
#[test]
fn the_tour_is_what_the_binary_prints() {
    let folder = tempfile::tempdir().unwrap();
    for file in fs::read_dir(root().join("examples/tour")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    let tour = root().join("docs/tour.md");
    let commands = run_blocks(&tour, folder.path());
    assert!(commands >= 15, "{commands} commands found");

    let help = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .arg("--help")
        .output();
    let help = String::from_utf8(help.unwrap().stdout).unwrap();
    let listed = help.split("Commands:\n").nth(1).unwrap();
    let listed = listed.split("\n\n").next().unwrap();
    let text = fs::read_to_string(tour).unwrap();
    for line in listed.lines() {
        let command = line.split_whitespace().next().unwrap();
        let is_shown = text.contains(&format!("portcullis {command}"));
        assert!(is_shown, "the tour shows no `{command}`");
    }
}

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs the commands of all blocks, compares what they print, and returns how many there are.
fn run_blocks(document: &Path, folder: &Path) -> usize {
    let text = fs::read_to_string(document).unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_portcullis"));
    let mut path = vec![binary.parent().unwrap().to_owned()];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    let path = std::env::join_paths(path).unwrap();

    let mut commands = 0;
    for block in text.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap();
        for shown in block.split("\n$ ") {
            let shown = shown.strip_prefix("$ ").unwrap_or(shown);
            let (command, expected) = shown.split_once('\n').unwrap_or((shown, ""));
            let shell = Command::new("sh")
                .args(["-c", command])
                .current_dir(folder)
                .env("PATH", &path)
                .env_remove("NO_COLOR")
                .output()
                .unwrap();
            let printed = [shell.stdout, shell.stderr].concat();
            let printed = String::from_utf8(printed).unwrap();
            // Editors take spaces at line ends away.
            let trimmed: Vec<&str> = printed.lines().map(str::trim_end).collect();
            assert_eq!(
                trimmed.join("\n").trim_end(),
                expected.trim_end(),
                "{command}"
            );
            commands += 1;
        }
    }
    commands
}
