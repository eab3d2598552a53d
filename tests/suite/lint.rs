//! The rules of `lint`: their examples, their pages, their fixes.

use std::fs;
use std::path::Path;

use portcullis::Policy;
use portcullis::analysis::lint::{self, Finding, Options, Report, Rule};

fn read(text: &str) -> Policy {
    Policy::from_json(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn of_text(text: &str) -> Report {
    lint::lint(&[read(text)], &Options::default())
}

fn fires(rule: &Rule, report: &Report) -> bool {
    (report.findings.iter()).any(|finding| finding.rule.id == rule.id)
}

#[test]
fn every_rule_fires_on_its_bad_example_alone() {
    for rule in lint::rules() {
        let [bad, good, near_miss] = rule.examples();
        assert!(fires(rule, &of_text(&bad)), "{}: bad", rule.id);
        assert!(!fires(rule, &of_text(&good)), "{}: good", rule.id);
        assert!(!fires(rule, &of_text(&near_miss)), "{}: near miss", rule.id);
        let off = Options::default().without(rule.id);
        assert!(
            !fires(rule, &lint::lint(&[read(&bad)], &off)),
            "{}",
            rule.id
        );
    }
}

/// What a page calls good has no finding that counts, or the page would teach another mistake.
#[test]
fn good_examples_are_good() {
    for rule in lint::rules() {
        let [_, good, _] = rule.examples();
        for finding in of_text(&good).findings {
            assert_eq!(
                finding.rule.severity,
                lint::Severity::Note,
                "{}: {}: {}",
                rule.id,
                finding.rule.id,
                finding.message
            );
        }
    }
}

#[test]
fn ids_are_distinct_and_kebab_case() {
    let mut ids: Vec<&str> = lint::rules().iter().map(|rule| rule.id).collect();
    for id in &ids {
        assert!(
            id.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
            "{id}"
        );
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), lint::rules().len());
    assert_eq!(lint::nearest_rule("dead-statment"), Some("dead-statement"));
    assert_eq!(lint::nearest_rule("banana"), None);
}

/// `PORTCULLIS_BLESS=1` writes the pages; without it they must be as the rules say.
#[test]
fn pages_are_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/lint");
    let mut pages: Vec<(String, String)> = (lint::rules().iter())
        .map(|rule| (format!("{}.md", rule.id), rule.page()))
        .collect();
    pages.push(("README.md".to_owned(), lint::index_page()));
    if std::env::var_os("PORTCULLIS_BLESS").is_some() {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in &pages {
            fs::write(folder.join(name), text).unwrap();
        }
    }
    for (name, text) in &pages {
        let stored = fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(
            stored == *text,
            "{name} is stale: run with PORTCULLIS_BLESS=1"
        );
    }
    assert_eq!(
        fs::read_dir(&folder).unwrap().count(),
        pages.len(),
        "a page without a rule"
    );
}

#[test]
fn a_rule_says_enough() {
    for rule in lint::rules() {
        assert!(
            rule.summary.len() < 110 && !rule.summary.ends_with('.'),
            "{}",
            rule.id
        );
        for text in [rule.why, rule.mend, rule.quiet] {
            assert!(text.len() > 20, "{}: {text}", rule.id);
        }
    }
}

fn found<'r>(report: &'r Report, id: &str) -> Vec<&'r Finding> {
    (report.findings.iter())
        .filter(|finding| finding.rule.id == id)
        .collect()
}
