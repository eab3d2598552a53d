//! What the program decides, asked from where there is a system to run tests.

use portcullis::{Decision, Engine};
use portcullis_no_std::{STAGE, decide, decide_all, explain, image, load};

const NOW: &str = "2026-11-21T12:00:00Z";

fn resource(rest: &str) -> String {
    format!("{STAGE}{rest}")
}

#[test]
fn an_image_in_the_program_decides() {
    let engine = load().unwrap();
    let get = resource("GET/pets");
    for (address, resource, time, expected) in [
        ("203.0.113.7", &get, NOW, Decision::Allow),
        ("2001:db8::7", &get, NOW, Decision::Allow),
        ("::ffff:203.0.113.7", &get, NOW, Decision::Allow),
        ("203.0.113.7", &get, "2031", Decision::ImplicitDeny),
        ("198.51.100.7", &get, NOW, Decision::ImplicitDeny),
        ("203.0.113.200", &get, NOW, Decision::ExplicitDeny),
        ("no address", &get, NOW, Decision::ExplicitDeny),
        (
            "203.0.113.200",
            &resource("GET/health"),
            NOW,
            Decision::Allow,
        ),
        (
            "203.0.113.7",
            &resource("PUT/pets"),
            NOW,
            Decision::ImplicitDeny,
        ),
    ] {
        let got = decide(&engine, address, resource, time);
        assert_eq!(got, expected, "{address} {resource} {time}");
    }
}

#[test]
fn a_batch_decides() {
    let engine = load().unwrap();
    let addresses = ["203.0.113.7", "203.0.113.200"];
    assert_eq!(
        decide_all(&engine, addresses, &resource("GET/pets")),
        [Decision::ImplicitDeny, Decision::ExplicitDeny]
    );
}

#[test]
fn an_explanation_names_statement_and_prefix() {
    let why = explain(&load().unwrap(), "203.0.113.200", &resource("GET/pets"));
    assert_eq!(why.decision, Decision::ExplicitDeny);
    let statement = &why.determining[0];
    assert_eq!(statement.sid.as_deref(), Some("Blocked"));
    assert_eq!(statement.prefixes[0].prefix.to_string(), "203.0.113.128/25");
    assert_eq!(statement.prefixes[0].position.line, 21);
}

#[test]
fn a_copy_is_the_same_engine_and_a_damaged_one_is_none() {
    let engine = Engine::from_image(image()).unwrap();
    assert_eq!(engine.image(), image());
    assert_eq!(engine.inspect(), load().unwrap().inspect());
    assert!(Engine::is_image(image()));
    let mut damaged = image().to_vec();
    *damaged.last_mut().unwrap() ^= 1;
    assert_eq!(
        Engine::from_image(&damaged).unwrap_err().to_string(),
        "the image is damaged: the checksum of the sections is another: copy it anew"
    );
    assert!(Engine::from_image(b"{}").unwrap_err().is_not_an_image());
}
