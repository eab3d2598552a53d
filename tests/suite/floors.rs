//! Holds the floors: a module of the library uses only modules of lower floors, and itself.
//!
//! The sources are read as tokens, so that names in comments and strings do not count, and every
//! path that starts at the crate's root is followed: `crate::…`, groups in braces, `$crate::…`,
//! and chains of `super` that climb that high. What is under `#[cfg(test)]` is left out.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The floor of each module.
const FLOORS: &[(&str, u32)] = &[
    ("util", 0),
    ("prefix", 1),
    ("pattern", 1),
    ("request", 1),
    ("decision", 1),
    ("policy", 2),
    ("reference", 3),
    ("ir", 3),
    ("image", 4),
    ("engine", 5),
    ("analysis", 6),
];

/// The reference shares nothing with the engine, or it would agree with its bugs.
const REFERENCE_USES: &[&str] = &["policy", "request", "decision"];

#[test]
fn modules_use_lower_floors_only() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&source, &mut Vec::new(), &mut files);
    let test_only: BTreeSet<Vec<String>> = files.iter().flat_map(test_modules).collect();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for file in &files {
        let Some(module) = file.module.first() else {
            continue;
        };
        if test_only
            .iter()
            .any(|prefix| file.module.starts_with(prefix))
        {
            continue;
        }
        seen += 1;
        wrong.extend(
            violations(module, &file.module, &file.text)
                .into_iter()
                .map(|what| format!("{}: {what}", file.name)),
        );
    }
    assert!(seen > 3, "no sources found below {}", source.display());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn planted_violations_are_found() {
    let found = |module: &str, text: &str| {
        violations(module, &[module.to_owned(), "file".to_owned()], text)
    };
    for (module, text) in [
        ("policy", "use crate::engine::Engine;"),
        ("prefix", "use crate::{util::ids, pattern::Set};"),
        ("request", "fn f() -> crate::policy::Policy { todo!() }"),
        ("image", "use super::super::engine::Engine;"),
        (
            "image",
            "mod inner { use super::super::super::engine::Engine; }",
        ),
        (
            "ir",
            "macro_rules! m { () => { $crate::reference::decide } }",
        ),
        ("reference", "use crate::util::int::AsUsize;"),
        ("reference", "use crate :: /* hidden */ prefix::Trie;"),
        ("ir", "use crate::reference::decide;"),
        ("policy", "use crate::Decision;"),
        ("policy", "use crate::*;"),
        ("policy", "#[cfg(not(test))] use crate::engine::Engine;"),
        (
            "policy",
            "#[cfg(test)] mod tests { use crate::engine::A; } use crate::engine::B;",
        ),
        ("nowhere", ""),
    ] {
        assert_eq!(found(module, text).len(), 1, "{module}: {text}");
    }
    for (module, text) in [
        (
            "engine",
            "use crate::{image::{Image, View}, ir, util::{self, ids}}; use crate::engine::handle;",
        ),
        (
            "reference",
            "use crate::policy::Policy; use crate::{decision::Decision, request::Request};",
        ),
        (
            "policy",
            "// crate::engine\n/* /* crate::engine */ crate::ir */ //! crate::image",
        ),
        (
            "policy",
            r####"const A: &str = "crate::engine \" crate::ir"; const B: &[u8] = br##"crate::ir "# "##;"####,
        ),
        (
            "policy",
            "fn f<'a>(x: &'a str) -> char { '\"' } fn g() -> char { '\\'' } // crate::ir",
        ),
        (
            "policy",
            "pub(crate) fn f() {} pub(in crate::policy) fn g() {} use super::model::Policy;",
        ),
        (
            "policy",
            "#[cfg(test)] mod tests { use crate::engine::Engine; fn f() { {} } }",
        ),
        ("policy", "#[cfg(test)] use crate::engine::Engine;"),
        (
            "policy",
            "#[cfg(all(test, unix))]\n#[derive(Debug)]\nstruct A { engine: crate::engine::Engine }",
        ),
    ] {
        assert_eq!(
            found(module, text),
            Vec::<String>::new(),
            "{module}: {text}"
        );
    }
}

/// A source file of the library.
struct Source {
    name: String,
    /// The module's path from the root; empty for the root itself.
    module: Vec<String>,
    text: String,
}

/// Reads the sources below a folder that is the module `path`.
fn collect(folder: &Path, path: &mut Vec<String>, files: &mut Vec<Source>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort_unstable();
    for entry in entries {
        let stem = entry.file_stem().unwrap().to_str().unwrap().to_owned();
        if entry.is_dir() {
            path.push(stem);
            collect(&entry, path, files);
            path.pop();
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            let mut module = path.clone();
            if !matches!(&*stem, "mod" | "lib") {
                module.push(stem);
            }
            files.push(Source {
                name: entry.display().to_string(),
                module,
                text: fs::read_to_string(&entry).unwrap(),
            });
        }
    }
}

/// Returns the modules that the file declares for tests only and keeps in files of their own.
fn test_modules(file: &Source) -> Vec<Vec<String>> {
    let tokens = tokens(&file.text);
    let mut modules = Vec::new();
    for index in 0..tokens.len() {
        let Some(end) = attribute_end(&tokens, index) else {
            continue;
        };
        if is_test_attribute(&tokens[index..end])
            && let Some([Token::Word("mod"), Token::Word(name), Token::Mark(';')]) =
                tokens.get(end..end + 3)
        {
            modules.push(
                file.module
                    .iter()
                    .cloned()
                    .chain([(*name).to_owned()])
                    .collect(),
            );
        }
    }
    modules
}

/// Returns what in the text uses a module it may not use.
fn violations(module: &str, path: &[String], text: &str) -> Vec<String> {
    let floor = |name: &str| {
        FLOORS
            .iter()
            .find(|(module, _)| *module == name)
            .map(|(_, floor)| *floor)
    };
    let Some(own) = floor(module) else {
        return vec![format!("module `{module}` has no floor")];
    };
    let mut wrong = Vec::new();
    for used in roots_used(path, &without_tests(tokens(text))) {
        let allowed = match (module, floor(&used)) {
            _ if used == module => true,
            (_, None) => {
                wrong.push(format!(
                    "`crate::{used}` is no module's path: name the module that has it"
                ));
                continue;
            }
            ("reference", _) => REFERENCE_USES.contains(&&*used),
            (_, Some(floor)) => floor < own,
        };
        if !allowed {
            wrong.push(format!("module `{module}` may not use `crate::{used}`"));
        }
    }
    wrong
}

/// Returns the first segment of every path that starts at the root of the crate.
fn roots_used(path: &[String], tokens: &[Token<'_>]) -> Vec<String> {
    let mut found = Vec::new();
    // How deep each brace that is open is: one more for the body of an inline module.
    let mut modules: Vec<bool> = Vec::new();
    let mut index = 0;
    while let Some(token) = tokens.get(index) {
        match token {
            Token::Mark('{') => {
                let is_module = index >= 2
                    && matches!(tokens[index - 2], Token::Word("mod"))
                    && matches!(tokens[index - 1], Token::Word(_));
                modules.push(is_module);
            }
            Token::Mark('}') => {
                modules.pop();
            }
            Token::Word(word @ ("crate" | "super")) => {
                let depth = path.len() + modules.iter().filter(|is_module| **is_module).count();
                let mut climbed = if *word == "crate" { depth } else { 1 };
                let mut next = index + 1;
                while tokens.get(next) == Some(&Token::PathSeparator)
                    && tokens.get(next + 1) == Some(&Token::Word("super"))
                {
                    climbed += 1;
                    next += 2;
                }
                if climbed >= depth && tokens.get(next) == Some(&Token::PathSeparator) {
                    heads(tokens, next + 1, &mut found);
                }
                index = next;
                continue;
            }
            _ => {}
        }
        index += 1;
    }
    found
}

/// Adds the first segment of the path at `index`, or of each path of the group there.
fn heads(tokens: &[Token<'_>], index: usize, found: &mut Vec<String>) {
    match tokens.get(index) {
        Some(Token::Word(name)) => found.push((*name).to_owned()),
        Some(Token::Mark('{')) => {
            let mut depth = 1;
            let mut at_head = true;
            for token in &tokens[index + 1..] {
                match token {
                    Token::Mark('{') => depth += 1,
                    Token::Mark('}') => depth -= 1,
                    Token::Mark(',') if depth == 1 => at_head = true,
                    Token::Word(name) if at_head => {
                        found.push((*name).to_owned());
                        at_head = false;
                    }
                    Token::Mark('*') if at_head => found.push("*".to_owned()),
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
        }
        other => found.push(format!("{other:?}")),
    }
}

/// Leaves out every item under an attribute that asks for tests.
fn without_tests(tokens: Vec<Token<'_>>) -> Vec<Token<'_>> {
    let mut kept = Vec::new();
    let mut index = 0;
    while index < tokens.len() {
        match attribute_end(&tokens, index) {
            Some(end) if is_test_attribute(&tokens[index..end]) => index = item_end(&tokens, end),
            _ => {
                kept.push(tokens[index]);
                index += 1;
            }
        }
    }
    kept
}

/// Returns the index behind the attribute that starts here.
fn attribute_end(tokens: &[Token<'_>], start: usize) -> Option<usize> {
    if tokens.get(start..start + 2)? != [Token::Mark('#'), Token::Mark('[')] {
        return None;
    }
    let mut depth = 0;
    for (offset, token) in tokens[start + 1..].iter().enumerate() {
        match token {
            Token::Mark('[') => depth += 1,
            Token::Mark(']') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(start + offset + 2);
        }
    }
    None
}

/// Returns whether the attribute is `cfg(test)` or `cfg(all(test, …))`.
fn is_test_attribute(attribute: &[Token<'_>]) -> bool {
    use Token::{Mark, Word};
    let inner = attribute.get(2..).unwrap_or_default();
    inner.starts_with(&[Word("cfg"), Mark('('), Word("test"), Mark(')')])
        || inner.starts_with(&[Word("cfg"), Mark('('), Word("all"), Mark('('), Word("test")])
}

/// Returns the index behind the item that starts here, its further attributes included.
fn item_end(tokens: &[Token<'_>], mut index: usize) -> usize {
    while let Some(end) = attribute_end(tokens, index) {
        index = end;
    }
    let mut depth = 0;
    while let Some(token) = tokens.get(index) {
        index += 1;
        match token {
            Token::Mark('{' | '(' | '[') => depth += 1,
            Token::Mark('}') if depth == 1 => return index,
            Token::Mark('}' | ')' | ']') => depth -= 1,
            Token::Mark(';') if depth == 0 => return index,
            _ => {}
        }
    }
    index
}

/// A token of Rust, as far as paths need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'t> {
    Word(&'t str),
    PathSeparator,
    Mark(char),
}

/// Splits a source into tokens, without comments, literals and white space.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("//") {
            rest = rest.split_once('\n').map_or("", |(_, tail)| tail);
        } else if rest.starts_with("/*") {
            rest = &rest[block_comment_len(rest)..];
        } else if let Some(len) = literal_len(rest) {
            rest = &rest[len..];
        } else if first.is_alphanumeric() || first == '_' {
            let len = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            tokens.push(Token::Word(&rest[..len]));
            rest = &rest[len..];
        } else if let Some(tail) = rest.strip_prefix("::") {
            tokens.push(Token::PathSeparator);
            rest = tail;
        } else {
            if !first.is_whitespace() {
                tokens.push(Token::Mark(first));
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    tokens
}

/// Returns the length of the block comment that starts here; they nest.
fn block_comment_len(text: &str) -> usize {
    let mut depth = 0;
    let mut index = 0;
    let bytes = text.as_bytes();
    while index < bytes.len() {
        match bytes.get(index..index + 2) {
            Some(b"/*") => depth += 1,
            Some(b"*/") => depth -= 1,
            _ => {
                index += 1;
                continue;
            }
        }
        index += 2;
        if depth == 0 {
            break;
        }
    }
    index
}

/// Returns the length of the string or character literal that starts here; a lifetime is none.
fn literal_len(text: &str) -> Option<usize> {
    let prefix = text.find(|c: char| !matches!(c, 'b' | 'c' | 'r'))?;
    let body = &text[prefix..];
    let hashes = body.len() - body.trim_start_matches('#').len();
    if prefix <= 2 && text[..prefix].ends_with('r') && body[hashes..].starts_with('"') {
        let close = format!("\"{}", "#".repeat(hashes));
        let start = prefix + hashes + 1;
        return Some(
            text[start..]
                .find(&close)
                .map_or(text.len(), |at| start + at + close.len()),
        );
    }
    let quote = body.chars().next()?;
    if prefix > 1 || !matches!(quote, '"' | '\'') {
        return None;
    }
    if quote == '\'' {
        let mut characters = body[1..].chars();
        let character = characters.next()?;
        if character != '\\' && characters.next() != Some('\'') {
            return None;
        }
    }
    let mut escaped = false;
    for (index, character) in body.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return Some(prefix + index + 1),
            _ => {}
        }
    }
    Some(text.len())
}
