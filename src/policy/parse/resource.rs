//! Resources: ARNs, short-hand and wildcards, and what was meant by a text that is none of them.
//!
//! Every request's resource is an ARN, so a text that cannot begin like one matches nothing:
//! an Allow of it is missed soon, a Deny of it never fires and nobody sees.

use super::{Path, Reader};
use crate::policy::error::Quoted;
use crate::policy::json::Json;
use crate::policy::model::Located;
use crate::policy::names::nearest;
use crate::policy::text::Text;

impl Reader<'_> {
    /// Reads a resource: a text that an ARN can match, or short-hand for one.
    pub(super) fn resource(&mut self, path: &Path<'_>, json: Json<'_>) -> Option<Located<Text>> {
        let text = self.string(path, json)?;
        let resource = &*text.value;
        let (what, help) = if resource.is_empty() {
            self.fault(
                path,
                text.span,
                "an empty text is no resource",
                GENERAL.to_owned(),
            );
            return None;
        } else if let Some(what) = blank_ends(resource) {
            (what, "remove it".to_owned())
        } else if self.variables && has_early_variable(resource) {
            let help = "variables stand in the last field of an ARN only".to_owned();
            (
                "has a policy variable before its fifth colon".to_owned(),
                help,
            )
        } else if !can_begin_an_arn(resource) && !resource.starts_with(SHORT_HAND) {
            (
                "can match no request: requests are for ARNs".to_owned(),
                remedy(resource),
            )
        } else if let Some(what) = blank_field(resource) {
            let help = "remove it: only the last field of an ARN can have any".to_owned();
            (what, help)
        } else {
            return self.variables_of(path, text);
        };
        let message = format!("{} {what}", Quoted(resource));
        self.fault(path, text.span, message, help);
        None
    }
}

/// What begins the resources of the policy's own API.
const SHORT_HAND: &str = "execute-api:/";

/// The remedy where nothing is near.
const GENERAL: &str = "write an ARN, short-hand such as `execute-api:/*`, or `*`";

/// Returns what a character is called that no text begins or ends with, or has in it.
fn blank(character: char) -> Option<&'static str> {
    if character.is_whitespace() {
        Some("white space")
    } else if character.is_control() {
        Some("a control character")
    } else {
        None
    }
}

fn blank_ends(resource: &str) -> Option<String> {
    let first = resource.chars().next().and_then(blank);
    let last = resource.chars().next_back().and_then(blank);
    match (first, last) {
        (Some(first), Some(last)) if first == last => {
            Some(format!("has {first} at its start and end"))
        }
        (Some(first), _) => Some(format!("has {first} at its start")),
        (None, Some(last)) => Some(format!("has {last} at its end")),
        (None, None) => None,
    }
}

fn has_early_variable(resource: &str) -> bool {
    // PERF: looks at several bytes at once, which splitting does not.
    if !resource.contains("${") {
        return false;
    }
    resource.split_once("${").is_some_and(|(before, _)| {
        !before.starts_with(SHORT_HAND) && before.matches(':').count() < 5
    })
}

/// Returns whether a pattern matches anything that begins as an ARN does.
fn can_begin_an_arn(pattern: &str) -> bool {
    pattern.starts_with("arn:")
        || pattern
            .split_once(['*', '?'])
            .is_some_and(|(literal, _)| "arn:".starts_with(literal))
}

/// Says what is blank in a field of an ARN that never is.
fn blank_field(resource: &str) -> Option<String> {
    if !resource.starts_with("arn:") || begins_with_five_plain_fields(resource) {
        return None;
    }
    let fields = match resource.match_indices(':').nth(4) {
        Some((fifth, _)) => resource.get(..fifth)?,
        // The `*` of a short ARN stands for the fields that are missing and more.
        None => {
            let last = resource.rfind(':')?;
            let star = resource.get(last..)?.find('*').map(|at| last + at);
            resource.get(..star.unwrap_or(resource.len()))?
        }
    };
    let blank = fields.chars().find_map(blank)?;
    Some(format!("has {blank} before its fifth colon"))
}

/// Returns whether there is nothing but visible ASCII up to a fifth colon.
fn begins_with_five_plain_fields(resource: &str) -> bool {
    let fifth = memchr::memchr_iter(b':', resource.as_bytes()).nth(4);
    let fields = fifth.and_then(|fifth| resource.as_bytes().get(..fifth));
    // PERF: without an end before the last byte, so that it becomes vectors.
    let is_plain = |plain: bool, byte: &u8| plain & byte.is_ascii_graphic();
    fields.is_some_and(|fields| fields.iter().fold(true, is_plain))
}

/// Returns what a resource that matches nothing was perhaps meant to be.
fn remedy(resource: &str) -> String {
    let meant = |text: String| format!("write {}", Quoted(&text));
    let head = resource
        .split([':', '/', '*', '?'])
        .next()
        .unwrap_or_default();
    let rest = resource.get(head.len()..).unwrap_or_default();
    match nearest(head, ["execute-api", "arn"]) {
        Some("execute-api") => meant(format!(
            "{SHORT_HAND}{}",
            rest.trim_start_matches([':', '/'])
        )),
        Some("arn") if rest.starts_with(':') => meant(format!("arn{rest}")),
        Some("arn") => "an ARN begins with `arn:`".to_owned(),
        _ if head.is_empty() && rest.starts_with('/') => meant(format!("execute-api:{resource}")),
        _ if rest.starts_with('/') && !rest.contains(':') => {
            meant(format!("{SHORT_HAND}{resource}"))
        }
        _ => GENERAL.to_owned(),
    }
}
