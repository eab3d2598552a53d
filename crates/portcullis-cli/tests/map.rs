//! `map`: pictures read back, what they tell of addresses, and what is said beside them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod run;

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value as Json, json};

use crate::run::{portcullis, run, run_args};

const OFFICE: &str = "-p office-allow-list.json -X GET --path /pets";
const BLOCK: &str = "-p block-list.json -X GET --path /pets";

const ALLOW: [u8; 3] = [0x00, 0x7f, 0x8c];
const EXPLICIT: [u8; 3] = [0xf0, 0x5a, 0x0a];
const IMPLICIT: [u8; 3] = [0xc9, 0xcd, 0xd1];

/// A folder that goes when the test does.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("portcullis-map-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// Writes a policy that allows `allowed` and denies `denied`.
    fn policy(&self, name: &str, allowed: &[&str], denied: &[&str]) -> String {
        let statement = |effect: &str, list: &[&str]| {
            // By name: whether maps keep the order they are made in hangs on who else is built.
            json!({"Action": "execute-api:Invoke",
                "Condition": {"IpAddress": {"aws:SourceIp": list}}, "Effect": effect,
                "Principal": "*", "Resource": "*", "Sid": format!("{effect}</script>&")})
        };
        let lists = [("Allow", allowed), ("Deny", denied)];
        let lists = lists.iter().filter(|(_, list)| !list.is_empty());
        let statements: Vec<Json> = lists
            .map(|(effect, list)| statement(effect, list))
            .collect();
        let file = self.file(name);
        let policy = json!({"Statement": statements, "Version": "2012-10-17"});
        fs::write(&file, serde_json::to_string_pretty(&policy).unwrap()).unwrap();
        file
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left in the folder for temporary files is no failure.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A picture's pixels.
struct Png {
    width: usize,
    height: usize,
    dots: Vec<u8>,
    texts: Vec<String>,
}

impl Png {
    fn read(bytes: &[u8]) -> Self {
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
            .read_info()
            .unwrap();
        let mut dots = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut dots).unwrap();
        assert_eq!(info.color_type, png::ColorType::Rgb);
        let texts = reader
            .info()
            .utf8_text
            .iter()
            .map(|text| text.get_text().unwrap());
        Self {
            width: info.width.try_into().unwrap(),
            height: info.height.try_into().unwrap(),
            texts: texts.collect(),
            dots,
        }
    }

    fn dot(&self, x: usize, y: usize) -> [u8; 3] {
        let at = (y * self.width + x) * 3;
        self.dots[at..at + 3].try_into().unwrap()
    }

    /// Where the cells of a picture `side` pixels wide start: below the frame's first line.
    fn corner(&self, side: usize) -> (usize, usize) {
        let frame = [0x5b, 0x62, 0x6a];
        let left = (self.width - side) / 2;
        let top = (0..self.height)
            .find(|&y| (left..left + side).all(|x| self.dot(x, y) == frame))
            .unwrap();
        (left, top + 1)
    }
}

fn png_of(args: &str, side: usize) -> (Png, (usize, usize)) {
    let folder = Folder::new(&format!("png-{}", args.len()));
    let file = folder.file("map.png");
    let outcome = run(&format!("map {args} --size {side} -o {file}"));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let png = Png::read(&fs::read(&file).unwrap());
    let corner = png.corner(side);
    (png, corner)
}

#[test]
fn cells_of_a_png_have_the_colour_of_their_decision() {
    let folder = Folder::new("colours");
    let policy = folder.policy("p.json", &["0.0.0.0/1"], &["32.0.0.0/3", "200.0.0.1"]);
    let (png, (left, top)) = png_of(&format!("-p {policy} -X GET --path /"), 64);
    // A cell is a pixel is a /12. Lines and labels are drawn along the edges of blocks of 32.
    for ((x, y), expected) in [
        ((25, 12), ALLOW),    // 16.0.0.0/4 is the top right of the top left
        ((24, 24), EXPLICIT), // 32.0.0.0/3 is the lower half of the top left
        ((5, 24), EXPLICIT),
        ((20, 50), ALLOW),    // 64.0.0.0/2 is the bottom left
        ((50, 50), IMPLICIT), // 128.0.0.0/2 is the bottom right
        ((50, 20), IMPLICIT), // 192.0.0.0/2 is the top right
    ] {
        assert_eq!(png.dot(left + x, top + y), expected, "{x} {y}");
    }
    let texts = png.texts.join("\n");
    assert!(
        texts.contains("Decisions by source address, 0.0.0.0/0"),
        "{texts}"
    );
    assert!(
        texts.contains("explicit deny: 536,870,913 addresses"),
        "{texts}"
    );
}

/// Cells of single addresses, at the places that the curve gives them.
#[test]
fn every_pixel_of_a_zoom_is_an_address() {
    let folder = Folder::new("pixels");
    let policy = folder.policy(
        "p.json",
        &["203.0.113.0/28", "203.0.113.40"],
        &["203.0.113.4/30", "203.0.113.63"],
    );
    let (png, (left, top)) = png_of(
        &format!("-p {policy} -X GET --path / --prefix 203.0.113.0/26"),
        64,
    );
    // The curve of three levels, as the known maps of eight by eight cells are numbered.
    let order = [
        [0, 3, 4, 5, 58, 59, 60, 63],
        [1, 2, 7, 6, 57, 56, 61, 62],
        [14, 13, 8, 9, 54, 55, 50, 49],
        [15, 12, 11, 10, 53, 52, 51, 48],
        [16, 17, 30, 31, 32, 33, 46, 47],
        [19, 18, 29, 28, 35, 34, 45, 44],
        [20, 23, 24, 27, 36, 39, 40, 43],
        [21, 22, 25, 26, 37, 38, 41, 42],
    ];
    // 203.0.113.0/26 lies thirteen levels down, where the curve may be turned; the corner tells.
    let at = |x: usize, y: usize| png.dot(left + 8 * x + 6, top + 8 * y + 6);
    let mut seen = Vec::new();
    for transposed in [false, true] {
        for rotated in [false, true] {
            let cell = |x: usize, y: usize| {
                let (x, y) = if transposed { (y, x) } else { (x, y) };
                let (x, y) = if rotated { (7 - x, 7 - y) } else { (x, y) };
                order[y][x]
            };
            let fits = (0..64).all(|at_cell| {
                let (x, y) = (at_cell % 8, at_cell / 8);
                let expected = match cell(x, y) {
                    4..=7 | 63 => EXPLICIT,
                    0..=15 | 40 => ALLOW,
                    _ => IMPLICIT,
                };
                at(x, y) == expected
            });
            seen.push(fits);
        }
    }
    assert_eq!(seen.iter().filter(|fits| **fits).count(), 1, "{seen:?}");
    for (address, decision) in [
        ("203.0.113.5", "explicit deny"),
        ("203.0.113.40", "allow"),
        ("203.0.113.41", "implicit deny"),
    ] {
        let answer = run(&format!(
            "check -p {policy} -X GET --path / --source-ip {address}"
        ));
        assert_eq!(answer.stdout.lines().next(), Some(decision));
    }
}

/// One denied address among four billion still shows, and is ringed.
#[test]
fn a_single_address_is_seen() {
    let folder = Folder::new("single");
    let policy = folder.policy("p.json", &["0.0.0.0/0"], &["88.77.2.3"]);
    let (png, (left, top)) = png_of(&format!("-p {policy} -X GET --path /"), 1024);
    let count = |wanted: [u8; 3]| {
        let all = (0..1024).flat_map(|y| (0..1024).map(move |x| (x, y)));
        all.filter(|&(x, y)| png.dot(left + x, top + y) == wanted)
            .count()
    };
    assert_eq!(count([0x67, 0x6f, 0x54]), 1, "one blended cell");
    assert!(
        (60..400).contains(&count(EXPLICIT)),
        "{} pixels of a ring",
        count(EXPLICIT)
    );
}

#[test]
fn a_difference_colours_what_changed() {
    let folder = Folder::new("diff");
    let old = folder.policy("old.json", &["0.0.0.0/2"], &[]);
    let new = folder.policy("new.json", &["64.0.0.0/2", "0.0.0.0/3"], &["128.0.0.0/2"]);
    let (png, (left, top)) = png_of(&format!("-p {new} --diff {old} -X GET --path /"), 64);
    let at = |x: usize, y: usize| png.dot(left + x, top + y);
    assert_eq!(at(18, 20), EXPLICIT, "32.0.0.0/3 became denied");
    assert_eq!(at(25, 12), [0xcf, 0xe6, 0xe8], "0.0.0.0/3 is still allowed");
    assert_eq!(at(20, 50), ALLOW, "64.0.0.0/2 became allowed");
    assert_eq!(
        at(50, 50),
        [0xea, 0xec, 0xee],
        "denied before and now, by whatever"
    );
    let file = folder.file("diff.png");
    let outcome = run(&format!(
        "map --format json -p {new} --diff {old} -X GET --path / -o {file}"
    ));
    assert_eq!(
        serde_json::from_str::<Json>(&outcome.stdout).unwrap()["addresses"],
        json!({"became_allowed": 1 << 30, "became_denied": 1 << 29, "still_allowed": 1 << 29, "still_denied": 1_u64 << 31})
    );
}

#[test]
fn the_summary() {
    let folder = Folder::new("summary");
    let file = folder.file("map.svg");
    let outcome = run(&format!("map {BLOCK} -o {file}"));
    assert_eq!(
        outcome.stdout,
        format!(
            "{file}: 0.0.0.0/0, a cell is a /20\n\
             allow           4,294,967,040 addresses\n\
             explicit deny   256 addresses\n\
             implicit deny   0 addresses\n"
        )
    );
    assert_eq!((outcome.stderr.as_str(), outcome.code), ("", Some(0)));
    let outcome = run(&format!(
        "map {BLOCK} --format json --prefix 2001:db8::/32 -o {file}"
    ));
    assert_eq!(
        serde_json::from_str::<Json>(&outcome.stdout).unwrap(),
        json!({
            "file": file, "kind": "svg", "prefix": "2001:db8::/32", "cell": "/52",
            "resource": "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/GET/pets",
            "addresses": {
                "allow": ((1_u128 << 96) - (1 << 80)).to_string(),
                "explicit_deny": (1_u128 << 80).to_string(),
                "implicit_deny": 0,
            },
        })
    );
}

#[test]
fn an_svg_tells_of_each_area_and_loads_nothing() {
    let folder = Folder::new("svg");
    let policy = folder.policy(
        "p<&>.json",
        &["203.0.113.0/24", "10.0.0.0/9"],
        &["203.0.113.64/26"],
    );
    let file = folder.file("map.svg");
    let args = [
        "map",
        "-p",
        &policy,
        "-X",
        "GET",
        "--path",
        "/",
        "--prefix",
        "203.0.112.0/22",
        "-o",
        &file,
        "--special-use",
    ];
    let outcome = run_args(&args, "");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let text = fs::read_to_string(&file).unwrap();
    let svg = roxmltree::Document::parse(&text).unwrap();
    loads_nothing(&text);
    let areas: Vec<_> = svg
        .descendants()
        .filter(|node| node.has_tag_name("path"))
        .collect();
    let told: Vec<&str> = areas
        .iter()
        .filter_map(|area| {
            area.children()
                .find(|child| child.has_tag_name("title"))?
                .text()
        })
        .collect();
    let about = |prefix: &str| {
        told.iter()
            .find(|text| text.starts_with(prefix))
            .copied()
            .unwrap()
    };
    assert_eq!(
        about("203.0.113.64/26"),
        format!(
            "203.0.113.64/26\nexplicit deny, 64 addresses\nexplicit deny: policy {policy}, \
             statement 1 `Deny</script>&` (line 18), from 203.0.113.64/26 (line 23, column 13)"
        )
    );
    assert_eq!(
        about("203.0.114.0/23"),
        "203.0.114.0/23\nimplicit deny, 512 addresses\nimplicit deny: no statement matches"
    );
    assert!(about("203.0.113.128/25").contains("from 203.0.113.0/24"));
    let prefixes: Vec<&str> = told
        .iter()
        .map(|text| text.lines().next().unwrap())
        .collect();
    assert_eq!(
        prefixes,
        [
            "203.0.112.0/24",
            "203.0.113.0/26",
            "203.0.113.64/26",
            "203.0.113.128/25",
            "203.0.114.0/23"
        ]
    );
}

#[test]
fn a_page_tells_of_each_cell_and_loads_nothing() {
    let folder = Folder::new("html");
    let policy = folder.policy(
        "p.json",
        &["203.0.113.0/24", "2.0.0.0/8", "2.7.1.1"],
        &["203.0.113.64/26"],
    );
    let old = folder.policy("old.json", &["2.0.0.0/7"], &[]);
    let file = folder.file("map.html");
    let outcome = run(&format!(
        "map -p {policy} -X GET --path / -o {file} --size 256"
    ));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let text = fs::read_to_string(&file).unwrap();
    loads_nothing(&text);
    assert!(!text.contains("Deny</script>"), "a Sid ends the script");
    let data = page_data(&text);
    for address in ["2.3.4.5", "1.255.255.255", "0.0.0.0", "255.255.255.255"] {
        let (run_of, decision) = told(&data, address, 2);
        let line = format!("check -p {policy} -X GET --path / --source-ip {address} --format json");
        let answer: Json = serde_json::from_str(&run(&line).stdout).unwrap();
        let expected = answer["decision"].as_str().unwrap().replace('_', " ");
        assert_eq!(decision[0], expected, "{address}");
        assert_eq!(data["classes"][number(&run_of[1])][0], expected);
    }
    let (_, decision) = told(&data, "2.3.4.5", 2);
    assert_eq!(
        decision.as_array().unwrap()[1..],
        json!([0, "2.0.0.0/8", 9, 13]).as_array().unwrap()[..]
    );
    assert_eq!(
        data["statements"],
        json!([
            format!("policy {policy}, statement 0 `Allow</script>&` (line 3)"),
            format!("policy {policy}, statement 1 `Deny</script>&` (line 19)"),
        ])
    );
    let (mixed, decision) = told(&data, "2.7.1.1", 3);
    assert_eq!(mixed[1], json!(["65,536", "0", "0", "0"]));
    assert_eq!(decision, json!(["allow", 0, 0]), "by several prefixes");
    let (mixed, _) = told(&data, "203.0.113.1", 3);
    assert_eq!(
        mixed[1],
        json!(["192", "64", "65,280", "0"]),
        "counts of a /16"
    );
    let inside: Vec<&str> = (mixed[3].as_array().unwrap().iter())
        .map(|part| part[0].as_str().unwrap())
        .collect();
    assert_eq!(
        inside,
        ["203.0.113.0/26", "203.0.113.64/26", "203.0.113.128/25"]
    );
    let denied = &data["decisions"][number(&mixed[3][1][1])];
    assert_eq!(denied[0], "explicit deny");
    assert_eq!(denied[2], "203.0.113.64/26");
    let cells: u64 = data["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run[0].as_u64().unwrap())
        .sum();
    assert_eq!(cells, 256 * 256);

    let outcome = run(&format!(
        "map -p {policy} --diff {old} -X GET --path / -o {file} --size 256"
    ));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let data = page_data(&fs::read_to_string(&file).unwrap());
    let (run_of, now) = told(&data, "3.0.0.1", 2);
    assert_eq!((&run_of[1], &now), (&json!(1), &json!(["implicit deny"])));
    let (_, before) = told(&data, "3.0.0.1", 3);
    assert_eq!(before[2], "2.0.0.0/7");
    assert!(
        data["statements"][number(&before[1])]
            .as_str()
            .unwrap()
            .contains("old.json")
    );
}

/// Asserts that nothing in a picture makes a reader fetch something.
fn loads_nothing(text: &str) {
    let text = text
        .replace("http://www.w3.org/2000/svg", "")
        .to_ascii_lowercase();
    for what in [
        "http:",
        "https:",
        "src=",
        "href",
        "@import",
        "url(//",
        "fetch(",
        "xmlhttprequest",
        "//cdn",
        "<link",
        "<iframe",
    ] {
        assert!(!text.contains(what), "{what}");
    }
    assert_eq!(text.matches("url(").count(), text.matches("url(#").count());
}

fn number(value: &Json) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

fn page_data(page: &str) -> Json {
    let (_, rest) = page
        .split_once("<script type=\"application/json\" id=\"data\">")
        .unwrap();
    let (data, _) = rest.split_once("</script>").unwrap();
    serde_json::from_str(data).unwrap()
}

/// Returns the run of an IPv4 address, and the decision that its `field` names.
fn told(data: &Json, address: &str, field: usize) -> (Json, Json) {
    let bits = address.parse::<core::net::Ipv4Addr>().unwrap().to_bits();
    let cell = u64::from(bits >> (32 - data["cell"].as_u64().unwrap()));
    let mut next = 0;
    for run in data["runs"].as_array().unwrap() {
        next += run[0].as_u64().unwrap();
        if cell < next {
            let index = run[field].as_u64();
            let decision = index.map_or(Json::Null, |_| {
                data["decisions"][number(&run[field])].clone()
            });
            return (run.clone(), decision);
        }
    }
    panic!("{address} is in no run");
}

#[test]
fn a_picture_goes_to_a_pipe() {
    let output = portcullis()
        .args([
            "map",
            "-p",
            "block-list.json",
            "-X",
            "GET",
            "--path",
            "/",
            "-o",
            "-",
            "--as",
            "png",
            "--size",
            "64",
        ])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(Png::read(&output.stdout).width >= 64);
    assert_eq!(output.stderr, b"");
}

/// What would be too large is drawn coarser, counts what it drew, and says so.
#[test]
fn very_many_prefixes_make_no_very_large_file() {
    let folder = Folder::new("many");
    let prefixes: Vec<String> = (0..60_000_u32)
        .map(|index| {
            let bits = index.wrapping_mul(2_654_435_761) & !0xff;
            format!("{}/24", core::net::Ipv4Addr::from_bits(bits))
        })
        .collect();
    let prefixes: Vec<&str> = prefixes.iter().map(String::as_str).collect();
    let policy = folder.policy("p.json", &prefixes, &[]);
    let mut counts = Vec::new();
    for kind in ["png", "svg", "html"] {
        let file = folder.file(&format!("map.{kind}"));
        let outcome = run(&format!(
            "map --format json -p {policy} -X GET --path / -o {file}"
        ));
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert!(fs::metadata(&file).unwrap().len() < 4 << 20, "{kind}");
        assert_eq!(
            outcome.stderr.contains("a cell is a /"),
            kind != "png",
            "{kind}: {}",
            outcome.stderr
        );
        let answer: Json = serde_json::from_str(&outcome.stdout).unwrap();
        assert_eq!(answer["cell"] == "/20", kind == "png", "{kind}");
        counts.push(answer["addresses"].clone());
    }
    assert_eq!(counts[0]["allow"].as_u64().unwrap() % 256, 0);
    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
}

#[test]
fn what_cannot_be_drawn_is_said() {
    let folder = Folder::new("wrong");
    let like = folder.file("like.json");
    fs::write(
        &like,
        r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"StringLike":{"aws:SourceIp":"10.*"}}}}"#,
    )
    .unwrap();
    let out = folder.file("map.png");
    for (args, said) in [
        (
            format!("{OFFICE} -o {out} --source-ip 10.0.0.1"),
            "a map is of every source address",
        ),
        (
            format!("{OFFICE} -o {out} --context AWS:sourceip=10.0.0.1"),
            "a map is of every source address",
        ),
        (
            format!("{OFFICE} -o {}", folder.file("map.gif")),
            "does not end in .png, .svg or .html",
        ),
        (
            format!("{OFFICE} -o -"),
            "`--output -` does not say what to draw",
        ),
        (
            format!("{OFFICE} -o {out} --prefix 203.0.113.1/24"),
            "did you mean 203.0.113.0/24?",
        ),
        (
            format!("{OFFICE} -o {out} --prefix x"),
            "--prefix `x` is no prefix of addresses",
        ),
        (
            format!("{OFFICE} -o {out} --size 1000"),
            "--size 1000 is no size of a Hilbert curve",
        ),
        (
            format!("{OFFICE} -o {}/none/map.png", folder.file("")),
            "none/map.png",
        ),
        (
            format!("-p {like} -X GET --path / -o {out}"),
            "write it with `IpAddress`",
        ),
        (format!("{OFFICE} --diff none.json -o {out}"), "none.json"),
    ] {
        let outcome = run(&format!("map {args}"));
        assert!(outcome.stderr.contains(said), "{args}: {}", outcome.stderr);
        assert_eq!(
            (outcome.stdout.as_str(), outcome.code),
            ("", Some(2)),
            "{args}"
        );
        assert!(!PathBuf::from(&out).exists(), "{args}");
    }
}
