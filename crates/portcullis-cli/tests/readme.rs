//! The outputs that the main README shows are those of the binary.

use std::path::Path;
use std::process::Command;

#[test]
fn the_tour_is_what_the_binary_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_portcullis"));
    let mut path = vec![binary.parent().unwrap().to_owned()];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    let path = std::env::join_paths(path).unwrap();

    let mut commands = 0;
    for block in readme.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap();
        for shown in block.split("$ ").skip(1) {
            let (command, expected) = shown.split_once('\n').unwrap();
            let shell = Command::new("sh")
                .args(["-c", command])
                .current_dir(&root)
                .env("PATH", &path)
                .env_remove("NO_COLOR")
                .output()
                .unwrap();
            let printed = [shell.stdout, shell.stderr].concat();
            let printed = String::from_utf8(printed).unwrap();
            // Editors take spaces at line ends away.
            let trimmed: Vec<&str> = printed.lines().map(str::trim_end).collect();
            assert_eq!(trimmed.join("\n"), expected.trim_end(), "{command}");
            commands += 1;
        }
    }
    assert!(commands >= 6, "{commands} commands found");
}
