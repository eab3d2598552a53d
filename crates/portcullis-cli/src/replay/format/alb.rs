//! A line of an Application Load Balancer, into a record.
//!
//! ```text
//! https 2025-07-02T22:23:00.186641Z app/lb/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:80 0.086 0.048 0.037
//! type  time                        elb                     client:port         target:port …
//!   200 200 0 57 "GET https://www.example.com:443/pets?x=1 HTTP/1.1" "curl/7.46.0" …
//! ```
//!
//! A port always follows the client, so what is behind the last colon is never a part of
//! the address, even where an IPv6 address stands there without brackets.

use std::borrow::Cow;

use super::clf::quoted;
use crate::replay::record::{Record, Slot, Unreadable};

/// Reads a line.
pub(crate) fn read<'a>(line: &'a str, record: &mut Record<'a>) -> Result<(), Unreadable> {
    let (front, behind) = line
        .split_once(" \"")
        .ok_or("there is no quoted request: the line is cut short, or of no load balancer")?;
    let mut parts = front.split(' ');
    let (kind, time, client) = (parts.next(), parts.next(), parts.nth(1));
    if !kind.is_some_and(is_type) {
        return Err("the first field is none of http, https, h2, grpcs, ws and wss".into());
    }
    let client = client.ok_or("the line ends before the client")?;
    if client != "-" {
        let (address, _) = client
            .rsplit_once(':')
            .ok_or("the client has no port behind it")?;
        let address = address
            .strip_prefix('[')
            .and_then(|address| address.strip_suffix(']'))
            .unwrap_or(address);
        record.set(Slot::SourceIp, 1, Cow::Borrowed(address));
    }
    record.set(Slot::Time, 1, Cow::Borrowed(time.unwrap_or_default()));
    let (request, behind) = quoted(behind).ok_or("the quoted request does not end")?;
    // What the load balancer could not parse is logged as `- http://host:80- -`.
    if request.starts_with("- ") {
        return Err("the load balancer could not parse the request".into());
    }
    record.set(Slot::RequestLine, 1, request);
    if let Some((agent, _)) = behind.strip_prefix(" \"").and_then(quoted) {
        record.set(Slot::UserAgent, 1, agent);
    }
    Ok(())
}

/// Returns whether a line of a load balancer may start with this word.
pub(crate) fn is_type(word: &str) -> bool {
    matches!(word, "http" | "https" | "h2" | "grpcs" | "ws" | "wss")
}
