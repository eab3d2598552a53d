//! `compile`, and images in the place of policies.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod run;

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process;

use run::{Outcome, run, run_with};

const RESOURCE: &str = "arn:aws:execute-api:eu-central-1:123456789012:abc123/prod/GET/pets";

/// A folder for one test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("portcullis-cli-{name}-{}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) -> String {
        let file = self.file(name);
        fs::write(&file, text).unwrap();
        file
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const ALLOW: &str = r#"{"Statement": [
  {"Sid": "Office", "Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke",
   "Resource": "arn:aws:execute-api:*:*:*/prod/*",
   "Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}}}]}"#;

const DENY: &str = r#"{"Statement": [
  {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*",
   "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.66"}}}]}"#;

fn compile(folder: &Folder) -> String {
    let allow = folder.write("allow.json", ALLOW);
    let deny = folder.write("deny.json", DENY);
    let image = folder.file("both.img");
    let got = run(&format!("compile -p {allow} -p {deny} -o {image}"));
    assert_eq!((got.code, got.stdout.as_str()), (Some(0), ""), "{got:?}");
    let bytes = fs::metadata(&image).unwrap().len();
    let summary = format!("{image}: 2 statements of 2 policies in {bytes} bytes\n");
    assert_eq!(got.stderr, summary);
    image
}

fn usage(got: &Outcome, message: &str) {
    assert_eq!(got.code, Some(2), "{got:?}");
    assert!(got.stderr.contains(message), "{got:?}");
}

#[test]
fn an_image_decides_as_its_policies() {
    let folder = Folder::new("decides");
    let image = compile(&folder);
    let of = |command: &str, ip: &str| {
        run(&format!(
            "{command} -p {image} --source-ip {ip} --resource {RESOURCE}"
        ))
    };
    let (allowed, denied) = (of("check", "203.0.113.7"), of("check", "203.0.113.66"));
    let line = format!(
        "allow\npolicy {image}#0, statement 0 `Office` (line 2, column 3): allows `arn:aws:execute-api:*:*:*/prod/*` \
         from `203.0.113.0/24` (aws:SourceIp, line 4, column 49)\n"
    );
    assert_eq!((allowed.stdout, allowed.code), (line.clone(), Some(0)));
    assert!(denied.stdout.contains(&format!(
        "policy {image}#1, statement 0 (line 2, column 3): denies"
    )));
    assert_eq!(
        of("explain", "203.0.113.7").stdout,
        line,
        "there is no text to draw on"
    );
    let missed = of("explain", "192.0.2.1");
    assert!(
        missed
            .stdout
            .starts_with("implicit deny\nno statement matches"),
        "{missed:?}"
    );
    assert_eq!(missed.code, Some(1));

    let json = of("explain --format json", "203.0.113.66").stdout;
    let expected = format!(r#""determining":[{{"policy":"{image}#1","statement":0,"sid":null"#);
    assert!(json.contains(&expected), "{json}");

    let line = format!(
        r#"{{"request":{{"action":"execute-api:Invoke","resource":"{RESOURCE}","context":{{"aws:SourceIp":"203.0.113.7"}}}}}}"#
    );
    let got = run_with(&format!("eval -p {image}"), &line);
    assert_eq!(
        got.stdout, "{\"id\":null,\"decision\":\"allow\"}\n",
        "{got:?}"
    );
}

#[test]
fn an_image_shows_what_it_is_made_of() {
    let folder = Folder::new("inspect");
    let image = compile(&folder);
    let got = run(&format!("inspect {image}"));
    assert_eq!(got.code, Some(0), "{got:?}");
    assert!(
        got.stdout
            .starts_with(&format!("policy {image}: image, 2 statements\n")),
        "{got:?}"
    );
    let of_policies = run(&format!(
        "inspect -p {0}/allow.json -p {0}/deny.json",
        folder.0.display()
    ));
    let tables = |got: &Outcome| got.stdout.split_once("\n\n").unwrap().1.to_owned();
    assert_eq!(tables(&got), tables(&of_policies));
}

#[test]
fn an_image_is_given_alone_and_asked_about_a_whole_arn() {
    let folder = Folder::new("alone");
    let image = compile(&folder);
    let allow = folder.file("allow.json");
    let asked = format!("--source-ip 203.0.113.7 --resource {RESOURCE}");
    usage(
        &run(&format!("check -p {allow} -p {image} {asked}")),
        "is given beside others",
    );
    usage(
        &run(&format!("check -p {image} --kind resource {asked}")),
        "--kind is given with",
    );
    usage(
        &run(&format!("check -p {image} -X GET --path /pets")),
        "which parts of an ARN",
    );
    usage(
        &run(&format!("eval --engine reference -p {image}")),
        "which is compiled",
    );
    usage(
        &run(&format!("compile -p {allow} -o {allow}")),
        "which it would replace",
    );
    let whole =
        "-X GET --path /pets --stage prod --region r --account 123456789012 --api-id abc123";
    let got = run(&format!("check -p {image} --source-ip 203.0.113.7 {whole}"));
    assert_eq!(got.code, Some(0), "{got:?}");
}

#[test]
fn what_reads_a_policys_text_refuses_an_image() {
    let folder = Folder::new("text");
    let image = compile(&folder);
    let cases = folder.write(
        "cases.yaml",
        "policy: allow.json\ncases: [{path: /, method: GET, expect: deny}]",
    );
    let (log, other) = (folder.write("log", ""), folder.file("other"));
    let allow = folder.file("allow.json");
    for command in [
        format!("compile -p {image} -o {other}"),
        format!("diff {allow} {image}"),
        format!("fit {image}"),
        format!("fmt {image}"),
        format!("lint {image}"),
        format!("map -p {image} --resource {RESOURCE} -o {other}.png"),
        format!("replay -p {image} {log}"),
        format!("test {cases} -p {image}"),
    ] {
        usage(
            &run(&command),
            "is an image, and the text of a policy is needed here",
        );
    }
}

#[test]
fn a_damaged_image_is_an_error_that_says_what_to_do() {
    let folder = Folder::new("damaged");
    let image = compile(&folder);
    let mut bytes = fs::read(&image).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&image, &bytes).unwrap();
    let got = run(&format!("check -p {image} --resource {RESOURCE}"));
    usage(
        &got,
        "the image is damaged: the checksum of the sections is another: copy it anew",
    );
}

#[test]
fn short_hand_is_compiled_for_a_named_api() {
    let folder = Folder::new("short-hand");
    let policy = folder.write(
        "short.json",
        r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "execute-api:/prod/*"}}"#,
    );
    let image = folder.file("short.img");
    usage(
        &run(&format!("compile -p {policy} -o {image}")),
        "is not named",
    );
    assert!(!fs::exists(&image).unwrap());
    let api = "--region eu-central-1 --account 123456789012 --api-id abc123";
    assert_eq!(
        run(&format!("compile -p {policy} {api} -o {image}")).code,
        Some(0)
    );
    assert_eq!(
        run(&format!("check -p {image} --resource {RESOURCE}")).code,
        Some(0)
    );
    let files = fs::read_dir(&folder.0).unwrap().count();
    assert_eq!(files, 2, "nothing is left beside the image");
}
