//! What a record asks: address, method, path, and the start of the resource's ARN.

use std::borrow::Cow;

use core::fmt::Write;
use core::net::{IpAddr, SocketAddr};

use portcullis::{Policy, Principal};

use super::record::{Record, Slot, Unreadable};
use super::time::Time;
use crate::target::{LinePart, LineParts};

/// What is the same for all lines.
#[derive(Clone, Debug)]
pub(crate) struct Asking {
    /// Where the API is.
    pub(crate) parts: LineParts,
    /// What is taken from the front of paths.
    pub(crate) strip_prefix: Option<String>,
    /// What conditions ask about the time.
    pub(crate) time: TimeUse,
}

/// Whether the policies ask for the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeUse {
    /// No.
    Unused,
    /// A text with variables may.
    Maybe,
    /// A condition does: a line without time has no answer.
    Needed,
}

impl TimeUse {
    /// Returns what `policies` need.
    pub(crate) fn by<'a>(policies: impl Iterator<Item = &'a Policy>) -> Self {
        let mut needed = Self::Unused;
        for policy in policies {
            let mut conditions = policy.statements().iter().flat_map(|s| &s.conditions);
            if conditions.any(|condition| {
                [CURRENT_TIME, EPOCH_TIME]
                    .iter()
                    .any(|key| condition.key.value.eq_ignore_ascii_case(key))
            }) {
                return Self::Needed;
            }
            // An escape may hide a variable; taking the time along for nothing does no harm.
            let text = policy.source_text();
            if text.contains("${") || text.contains("\\u") {
                needed = Self::Maybe;
            }
        }
        needed
    }
}

/// The start of a resource's ARN, up to the slash behind the stage.
///
/// PERF: that of the last line is that of nearly every line.
#[derive(Debug, Default)]
pub(crate) struct Start {
    text: String,
    /// Account, API and stage that it was made of.
    of: [String; 3],
}

impl Start {
    /// Returns the text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Makes it that of an account, API and stage; all lines of one replay have the same `parts`.
    fn set(&mut self, parts: &LineParts, of: [&str; 3]) {
        if !self.text.is_empty() && self.of == of {
            return;
        }
        let [account, id, stage] = of;
        self.text.clear();
        // Writing to a String does not fail.
        let _ = write!(
            self.text,
            "arn:{}:execute-api:{}:{account}:{id}/{stage}/",
            parts.partition, parts.region
        );
        self.of = of.map(str::to_owned);
    }
}

/// A request of a line.
#[derive(Debug)]
pub(crate) struct Ask<'r> {
    /// The client.
    pub(crate) ip: IpAddr,
    /// The method.
    pub(crate) method: &'r str,
    /// The path without its first slash and without query.
    pub(crate) path: &'r str,
    /// Whether the path is a template.
    pub(crate) is_template: bool,
    /// The caller.
    pub(crate) principal: Principal<'r>,
    /// The user agent.
    pub(crate) user_agent: Option<&'r str>,
    /// The time, as the two condition keys have it.
    pub(crate) time: Option<(String, String)>,
}

impl Asking {
    /// Reads what a record asks, and writes the start of the ARN, up to the slash behind the
    /// stage, into `start`.
    pub(crate) fn read<'r>(
        &self,
        record: &'r Record<'_>,
        start: &mut Start,
    ) -> Result<Ask<'r>, Unreadable> {
        let ip = address(
            record
                .field(Slot::SourceIp)
                .ok_or("there is no client address")?,
        )?;
        let stage = self.part(
            &self.parts.stage,
            record.field(Slot::Stage),
            "stage",
            "--stage",
        )?;
        let (method, path, is_template) = self.called(record)?;
        let id = self.part(
            &self.parts.id,
            record.field(Slot::ApiId),
            "API id",
            "--api-id",
        )?;
        let account = self.part(
            &self.parts.account,
            record.field(Slot::AccountId),
            "account",
            "--account",
        )?;
        start.set(&self.parts, [account, id, stage]);
        let principal = match record.field(Slot::Principal) {
            Some(arn) if arn.starts_with("arn:") => Principal::Aws(arn),
            _ => Principal::Anonymous,
        };
        Ok(Ask {
            ip,
            method,
            path,
            is_template,
            principal,
            user_agent: record.field(Slot::UserAgent),
            time: self.time(record)?,
        })
    }

    fn part<'r>(
        &'r self,
        part: &'r LinePart,
        logged: Option<&'r str>,
        what: &str,
        flag: &str,
    ) -> Result<&'r str, Unreadable> {
        match (part, logged) {
            (LinePart::Given(given), _) => Ok(given),
            (_, Some(logged)) if logged.bytes().any(|byte| matches!(byte, b'/' | b':')) => {
                Err(Cow::Owned(format!(
                    "the {what} has a `/` or `:` in it, which would end it in an ARN"
                )))
            }
            (_, Some(logged)) => Ok(logged),
            (LinePart::Default(default), None) => Ok(default),
            (LinePart::Needed, None) => Err(Cow::Owned(format!(
                "the line has no {what}, and the policies may tell {what}s apart; give {flag}"
            ))),
        }
    }

    /// Returns method, path and whether the path is a template.
    fn called<'r>(&self, record: &'r Record<'_>) -> Result<(&'r str, &'r str, bool), Unreadable> {
        let line = record.field(Slot::RequestLine).map(request_line);
        let template = record.field(Slot::Template).map(|template| {
            match template.split_once(' ') {
                // `GET /pets/{id}`, as the routes of HTTP APIs are written.
                Some((method, path)) => (Some(method), path),
                None => (None, template),
            }
        });
        let method = record
            .field(Slot::Method)
            .or(match line {
                Some(Ok((method, _))) => Some(method),
                _ => None,
            })
            .or(template.and_then(|(method, _)| method));
        let method = match (method, line) {
            (Some(method), _) => method,
            (None, Some(Err(why))) => return Err(why.into()),
            (None, _) => return Err("there is no method".into()),
        };
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if !method.bytes().all(is_word) {
            return Err("the method is none of HTTP".into());
        }
        let (path, is_template) = if let Some(path) = record.field(Slot::Path) {
            (path, false)
        } else if let Some(path) = record.field(Slot::StagedPath) {
            (unstaged(path, record.field(Slot::Stage)), false)
        } else if let Some(line) = line {
            (line?.1, false)
        } else if let Some((_, path)) = template {
            (path, path.contains('{'))
        } else {
            return Err("there is no path".into());
        };
        let path = self.bare(path)?;
        Ok((method, path, is_template))
    }

    /// Returns a path without scheme, host, query, the prefix to be taken away and its first slash.
    fn bare<'r>(&self, path: &'r str) -> Result<&'r str, Unreadable> {
        // PERF: nearly every path is one, and needs no search for a scheme.
        let url = (!path.starts_with('/')).then(|| path.split_once("://"));
        let path = match url.flatten() {
            Some((scheme, rest)) if scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) => rest
                .find(['/', '?'])
                .and_then(|at| rest.get(at..))
                .unwrap_or(""),
            _ => path,
        };
        let end = memchr::memchr2(b'?', b'#', path.as_bytes()).unwrap_or(path.len());
        let mut path = path.get(..end).unwrap_or(path);
        if let Some(prefix) = &self.strip_prefix {
            path = path
                .strip_prefix(prefix.trim_end_matches('/'))
                .filter(|rest| rest.is_empty() || rest.starts_with('/'))
                .ok_or_else(|| {
                    Cow::Owned(format!(
                        "the path does not start with `{prefix}`, as --strip-prefix says"
                    ))
                })?;
        }
        Ok(path.strip_prefix('/').unwrap_or(path))
    }

    fn time(&self, record: &Record<'_>) -> Result<Option<(String, String)>, Unreadable> {
        if self.time == TimeUse::Unused {
            return Ok(None);
        }
        let millis = record.field(Slot::EpochMillis).and_then(Time::of_millis);
        let time = millis.or_else(|| {
            let time = record.field(Slot::Time)?;
            match record.field(Slot::Date) {
                Some(date) => Time::read(&format!("{date} {time}")),
                None => Time::read(time),
            }
        });
        match time {
            Some(time) => Ok(Some((time.iso(), time.epoch()))),
            None if self.time == TimeUse::Maybe => Ok(None),
            None => Err(
                "there is no time that can be read, and a condition of the policies asks for it"
                    .into(),
            ),
        }
    }
}

/// Returns method and target of `GET /pets HTTP/1.1`.
fn request_line(line: &str) -> Result<(&str, &str), &'static str> {
    let no_request = "the request is none of HTTP, such as `GET /pets HTTP/1.1`";
    let (method, rest) = line.split_once(' ').ok_or(no_request)?;
    let (target, protocol) = rest.rsplit_once(' ').ok_or(no_request)?;
    if method.is_empty() || !protocol.starts_with("HTTP/") {
        return Err(no_request);
    }
    Ok((method, target))
}

/// Returns a path without the stage in front, where that is what it starts with.
fn unstaged<'r>(path: &'r str, stage: Option<&str>) -> &'r str {
    let rest = stage.and_then(|stage| path.strip_prefix('/')?.strip_prefix(stage));
    match rest {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => rest,
        _ => path,
    }
}

/// Reads an address, with or without port.
fn address(text: &str) -> Result<IpAddr, Unreadable> {
    text.parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()))
        .map(|ip| ip.to_canonical())
        .map_err(|_| {
            let mut why = String::from("the client address `");
            // Writing to a String does not fail.
            let _ = write!(
                why,
                "{}` is no IP address",
                crate::terminal::shortened(text, 60)
            );
            Cow::Owned(why)
        })
}

/// The condition key of the time as a date.
pub(crate) const CURRENT_TIME: &str = "aws:CurrentTime";
/// The condition key of the time in seconds.
pub(crate) const EPOCH_TIME: &str = "aws:EpochTime";
/// The condition key of the user agent.
pub(crate) const USER_AGENT: &str = "aws:UserAgent";

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(strip: Option<&str>) -> Asking {
        Asking {
            parts: LineParts {
                partition: "aws".into(),
                region: "r".into(),
                account: LinePart::Default("1"),
                id: LinePart::Given("id".into()),
                stage: LinePart::Needed,
            },
            strip_prefix: strip.map(str::to_owned),
            time: TimeUse::Unused,
        }
    }

    fn resource(
        strip: Option<&str>,
        fields: &[(Slot, &'static str)],
    ) -> Result<String, Unreadable> {
        let mut record = Record::default();
        record.set(Slot::SourceIp, 1, "192.0.2.1".into());
        for &(slot, value) in fields {
            record.set(slot, 1, value.into());
        }
        let mut start = Start::default();
        // As that of another line.
        start.set(&asking(strip).parts, ["1", "id", "other"]);
        let ask = asking(strip).read(&record, &mut start)?;
        Ok(format!("{}{}/{}", start.text(), ask.method, ask.path))
    }

    #[test]
    fn resources_of_records() {
        let stage = (Slot::Stage, "prod");
        let get = (Slot::Method, "GET");
        for (fields, expected) in [
            (vec![stage, get, (Slot::Path, "/a?b#c")], "prod/GET/a"),
            (
                vec![stage, get, (Slot::Path, "http://h:80/a/b?x")],
                "prod/GET/a/b",
            ),
            (vec![stage, get, (Slot::Path, "https://h?x")], "prod/GET/"),
            (vec![stage, get, (Slot::Path, "/prod/a")], "prod/GET/prod/a"),
            (
                vec![stage, get, (Slot::StagedPath, "/prod/a")],
                "prod/GET/a",
            ),
            (vec![stage, get, (Slot::StagedPath, "/prod")], "prod/GET/"),
            (
                vec![stage, get, (Slot::StagedPath, "/production/a")],
                "prod/GET/production/a",
            ),
            (
                vec![stage, (Slot::RequestLine, "PUT /a b HTTP/2.0")],
                "prod/PUT/a b",
            ),
            (
                vec![stage, (Slot::Template, "POST /a/{id}")],
                "prod/POST/a/{id}",
            ),
            (vec![stage, get, (Slot::Path, "/%41?")], "prod/GET/%41"),
            (
                vec![stage, (Slot::Method, "PURGE"), (Slot::Path, "//a")],
                "prod/PURGE//a",
            ),
        ] {
            assert_eq!(
                resource(None, &fields).unwrap(),
                format!("arn:aws:execute-api:r:1:id/{expected}")
            );
        }
        let path = |path| [stage, get, (Slot::Path, path)];
        assert!(
            resource(Some("/api"), &path("/api/a"))
                .unwrap()
                .ends_with("/prod/GET/a")
        );
        assert!(
            resource(Some("/api/"), &path("/api"))
                .unwrap()
                .ends_with("/prod/GET/")
        );
        assert!(resource(Some("/api"), &path("/apis/a")).is_err());
    }

    #[test]
    fn what_is_no_request_says_why() {
        let path = (Slot::Path, "/a");
        for (fields, why) in [
            (vec![(Slot::Method, "GET"), path], "no stage"),
            (
                vec![(Slot::Stage, "a/b"), (Slot::Method, "GET"), path],
                "in an ARN",
            ),
            (vec![(Slot::Stage, "s"), path], "no method"),
            (vec![(Slot::Stage, "s"), (Slot::Method, "GET")], "no path"),
            (
                vec![(Slot::Stage, "s"), (Slot::Method, "G T"), path],
                "method",
            ),
            (
                vec![(Slot::Stage, "s"), (Slot::RequestLine, "\u{16}\u{3}")],
                "none of HTTP",
            ),
            (
                vec![
                    (Slot::Stage, "s"),
                    (Slot::SourceIp, "unknown"),
                    (Slot::Method, "GET"),
                    path,
                ],
                "`unknown`",
            ),
        ] {
            let error = resource(None, &fields).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn addresses_with_and_without_port() {
        for (text, expected) in [
            ("192.0.2.1", Some("192.0.2.1")),
            ("192.0.2.1:80", Some("192.0.2.1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("[2001:db8::1]:443", Some("2001:db8::1")),
            ("::ffff:192.0.2.1", Some("192.0.2.1")),
            ("192.0.2.01", None),
            ("192.0.2.1, 203.0.113.1", None),
            ("fe80::1%eth0", None),
        ] {
            let ip = address(text).ok().map(|ip| ip.to_string());
            assert_eq!(ip.as_deref(), expected, "{text}");
        }
    }
}
