//! Findings as SARIF 2.1.0, the form that code scanning services take.
//!
//! A service knows a finding again by its fingerprint, which says what was found, in which
//! statement, and not on which line: lines put above it make no new finding of it.

#![expect(
    clippy::indexing_slicing,
    reason = "a member is added to an object that was made here"
)]

use std::collections::HashMap;

use portcullis::Position;
use portcullis::analysis::lint::{self, Edit, Finding, Report, Rule};
use serde_json::{Value as Json, json};

use crate::diagnostics::json_line;
use crate::policies::LoadedPolicy;

/// Returns the log of one run.
pub(super) fn text(loaded: &[LoadedPolicy], report: &Report) -> String {
    let mut seen: HashMap<u64, usize> = HashMap::new();
    let results: Vec<Json> = (report.findings.iter())
        .filter_map(|finding| {
            let loaded = loaded.get(finding.policy)?;
            let hash = fingerprint(loaded, finding);
            // Of equal ones, which.
            let number = seen.entry(hash).and_modify(|n| *n += 1).or_insert(1);
            let mut result = result(loaded, finding);
            result["partialFingerprints"] = json!({ FINGERPRINT: format!("{hash:016x}:{number}") });
            Some(result)
        })
        .collect();
    json_line(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": "portcullis",
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "rules": lint::rules().iter().map(rule).collect::<Vec<_>>(),
                }
            },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    }))
}

fn rule(rule: &Rule) -> Json {
    json!({
        "id": rule.id,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.mend, "markdown": rule.page()},
        "defaultConfiguration": {"level": rule.severity.as_str()},
    })
}

fn result(loaded: &LoadedPolicy, finding: &Finding) -> Json {
    let uri = uri(&loaded.file);
    let message = match &finding.help {
        Some(help) => format!("{}. {help}", finding.message),
        None => finding.message.clone(),
    };
    let index = (lint::rules().iter()).position(|rule| rule.id == finding.rule.id);
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": {"uri": uri},
            "region": region(finding.position, finding.end),
        }
    });
    if let Some(statement) = finding.statement {
        let name = format!("Statement[{statement}]");
        location["logicalLocations"] = json!([{
            "name": finding.sid.as_deref().filter(|sid| !sid.is_empty()).unwrap_or(&name),
            "fullyQualifiedName": name,
        }]);
    }
    let mut result = json!({
        "ruleId": finding.rule.id,
        "ruleIndex": index,
        "level": finding.rule.severity.as_str(),
        "message": {"text": message},
        "locations": [location],
    });
    if !finding.related.is_empty() {
        let places = finding.related.iter().zip(1..).map(|(related, id)| {
            json!({
                "id": id,
                "physicalLocation": {
                    "artifactLocation": {"uri": uri},
                    "region": {"startLine": related.position.line, "startColumn": related.position.column},
                },
                "message": {"text": related.message},
            })
        });
        result["relatedLocations"] = places.collect();
    }
    if let Some(fix) = &finding.fix {
        let edits = lint::edits(&loaded.policy, finding.policy, [finding]);
        if !edits.is_empty() {
            result["fixes"] = json!([{
                "description": {"text": fix.title()},
                "artifactChanges": [{
                    "artifactLocation": {"uri": uri},
                    "replacements": edits.iter().map(replacement).collect::<Vec<_>>(),
                }],
            }]);
        }
    }
    result
}

/// Returns what stays the same about a finding when other lines of its policy change.
fn fingerprint(loaded: &LoadedPolicy, finding: &Finding) -> u64 {
    let text = loaded.policy.source_text();
    let found = text.get(finding.range.clone()).unwrap_or_default();
    let sid = finding.sid.as_deref().unwrap_or_default();
    // FNV-1a, for it has to be the same in every version.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |byte: u8| {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    };
    for part in [uri(&loaded.file).as_str(), finding.rule.id, sid, found] {
        part.bytes()
            .filter(|byte| !byte.is_ascii_whitespace())
            .for_each(&mut add);
        add(0);
    }
    hash
}

fn replacement(edit: &Edit) -> Json {
    json!({
        "deletedRegion": region(edit.position, edit.end),
        "insertedContent": {"text": edit.replacement},
    })
}

fn region(start: Position, end: Position) -> Json {
    json!({
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    })
}

/// Returns a file's name as the path of a URI.
fn uri(file: &str) -> String {
    let mut uri = String::with_capacity(file.len());
    for byte in file.bytes() {
        match byte {
            b'\\' => uri.push('/'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                uri.push(char::from(byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

/// What the fingerprint is called; another way of making it is another name.
const FINGERPRINT: &str = "portcullis/v1";
