//! Resources that look like real ones, tried before any search.

use super::context::stand_in;
use crate::analysis::globs::{Glob, Token};
use crate::policy::{PartRef, Text};

/// Actions of the service, and one of another.
pub(super) const ACTIONS: &[&str] = &[
    "execute-api:Invoke",
    "execute-api:InvalidateCache",
    "execute-api:ManageConnections",
    "s3:GetObject",
];

/// The fields of an ARN in front of the API's id.
const FIELDS: [&str; 5] = ["arn", "aws", "execute-api", "us-east-1", "123456789012"];
const API: &str = "a1b2c3d4e5";
const STAGES: [&str; 2] = ["prod", "dev"];
const METHODS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];
const PATHS: [&str; 5] = ["pets", "orders", "pets/1", "", "x/y"];

/// What stands for the wildcards of a pattern.
#[derive(Clone, Copy)]
struct Filling {
    stage: &'static str,
    method: &'static str,
    path: &'static str,
}

/// Returns a usual text that of each list some pattern matches, and none of `forbidden`.
pub(super) fn likely(required: &[Vec<&Glob>], forbidden: &[&Glob]) -> Option<String> {
    let any = Glob::read("*");
    let mut models: Vec<&Glob> = required.iter().flatten().copied().collect();
    // The longer says more.
    models.sort_by_key(|glob| core::cmp::Reverse(glob.tokens().len()));
    models.truncate(MODEL_LIMIT);
    models.push(&any);
    for model in models {
        for stage in STAGES {
            for path in PATHS {
                for method in METHODS {
                    let text = fill(
                        model.tokens(),
                        Filling {
                            stage,
                            method,
                            path,
                        },
                    );
                    if required
                        .iter()
                        .all(|list| list.iter().any(|glob| glob.matches(&text)))
                        && !forbidden.iter().any(|glob| glob.matches(&text))
                    {
                        return Some(text);
                    }
                    if !model.tokens().contains(&Token::Any) {
                        break;
                    }
                }
            }
        }
    }
    None
}

/// Returns the text with a stand-in for each variable, filled as others are.
pub(super) fn with_stand_ins(text: &Text) -> Vec<String> {
    let mut tokens = Vec::new();
    for part in text.parts() {
        match part {
            PartRef::Raw(raw) => tokens.extend(crate::analysis::globs::tokens(raw)),
            PartRef::Escaped(character) => tokens.push(Token::Char(character)),
            PartRef::Variable { key, default } => {
                let text = default.map_or_else(|| stand_in(key), str::to_owned);
                tokens.extend(text.chars().map(Token::Char));
            }
        }
    }
    let filling = |path| Filling {
        stage: "prod",
        method: "GET",
        path,
    };
    PATHS.map(|path| fill(&tokens, filling(path))).to_vec()
}

fn fill(tokens: &[Token], filling: Filling) -> String {
    let mut text = String::new();
    for (at, token) in tokens.iter().enumerate() {
        let rest = tokens.get(at + 1..).unwrap_or_default();
        match token {
            Token::Char(character) => text.push(*character),
            Token::One => text.push('a'),
            Token::Any => {
                let run = run(&text, rest, filling);
                text.push_str(&run);
            }
        }
    }
    text
}

/// Returns what a `*` behind `text` and in front of `rest` stands for.
fn run(text: &str, rest: &[Token], filling: Filling) -> String {
    let Filling {
        stage,
        method,
        path,
    } = filling;
    if !text.is_empty() && !text.ends_with([':', '/']) {
        return String::new();
    }
    let colons = text.matches(':').count();
    let tail = [API, stage, method, path];
    let slashes = match text.splitn(6, ':').nth(5) {
        Some(resource) if colons >= 5 => resource.matches('/').count(),
        _ => 0,
    };
    let fields = FIELDS.get(colons.min(5)..).unwrap_or_default();
    let segments = tail.get(slashes.min(3)..).unwrap_or_default();
    if rest.is_empty() {
        let mut whole: Vec<String> = fields.iter().map(|&field| field.to_owned()).collect();
        whole.push(segments.join("/"));
        return whole.join(":");
    }
    if text.is_empty() {
        // In front of a method or a path.
        let head = format!("{}:{API}/{stage}", FIELDS.join(":"));
        let is_method = rest.first() == Some(&Token::Char('/'))
            && rest
                .iter()
                .skip(1)
                .take_while(|token| **token != Token::Char('/'))
                .all(|token| matches!(token, Token::Char(c) if c.is_ascii_uppercase()));
        return if is_method {
            head
        } else {
            format!("{head}/{method}")
        };
    }
    match fields.first() {
        Some(field) => (*field).to_owned(),
        None => segments
            .first()
            .map_or(String::new(), |&segment| segment.to_owned()),
    }
}

/// Patterns that are filled.
const MODEL_LIMIT: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_become_parts_of_an_arn() {
        let pets = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/GET/pets";
        for (pattern, expected) in [
            ("*", pets),
            ("arn:aws:execute-api:*:*:*", pets),
            (
                "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/*",
                pets,
            ),
            (
                "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/*/*/*",
                pets,
            ),
            (
                "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/*/GET/*",
                pets,
            ),
            ("*/pets", pets),
            ("*/GET/*", pets),
            (
                "arn:aws:execute-api:eu-west-1:*:abc/dev/POST/a*z",
                "arn:aws:execute-api:eu-west-1:123456789012:abc/dev/POST/az",
            ),
        ] {
            let glob = Glob::read(pattern);
            assert_eq!(
                likely(&[vec![&glob]], &[]).as_deref(),
                Some(expected),
                "{pattern}"
            );
        }
    }

    #[test]
    fn what_is_forbidden_is_evaded() {
        let all = Glob::read("*");
        let get = Glob::read("*/GET/*");
        let found = likely(&[vec![&all]], &[&get]);
        assert_eq!(
            found.as_deref(),
            Some("arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/POST/pets")
        );
    }
}
