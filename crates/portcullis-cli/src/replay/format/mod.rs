//! Lines of many kinds of logs, into records; and which kind a log is.
//!
//! - `json`: JSON objects, of API Gateway, Envoy and others;
//! - `names`: what their fields are called;
//! - `clf`: the common log format, of API Gateway, nginx and Apache;
//! - `alb`: Application Load Balancer;
//! - `columns`: CloudFront and CSV, whose header says what is where.

mod alb;
mod clf;
mod columns;
mod json;
mod names;

use std::sync::Arc;

use clap::ValueEnum;

pub(crate) use self::columns::Columns;
use self::json::Order;
use self::names::Names;
use super::record::{Record, Slot, Unreadable};

/// What form the lines of a log have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// API Gateway, JSON
    Apigw,
    /// API Gateway, CLF
    Clf,
    #[value(help = "CloudFront standard logs")]
    Cloudfront,
    /// Application Load Balancer
    Alb,
    /// nginx and Apache, combined
    Nginx,
    /// Envoy and Istio, JSON
    Envoy,
    /// Comma separated values with a header
    Csv,
    /// JSON lines with other names
    Json,
}

impl LogFormat {
    /// Returns the name on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Apigw => "apigw",
            Self::Clf => "clf",
            Self::Cloudfront => "cloudfront",
            Self::Alb => "alb",
            Self::Nginx => "nginx",
            Self::Envoy => "envoy",
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }

    /// Returns what is said of a log that was found to have this form.
    pub(crate) const fn description(self) -> &'static str {
        match self {
            Self::Apigw => "API Gateway, JSON",
            Self::Clf => "API Gateway, CLF",
            Self::Cloudfront => "CloudFront standard log",
            Self::Alb => "Application Load Balancer",
            Self::Nginx => "nginx or Apache, combined",
            Self::Envoy => "Envoy, JSON",
            Self::Csv => "comma separated values",
            Self::Json => "JSON lines",
        }
    }

    /// Returns whether lines of this form may say which stage was called.
    pub(crate) const fn may_have_stage(self) -> bool {
        matches!(self, Self::Apigw | Self::Csv | Self::Json)
    }

    /// Returns the form of the log that starts with these lines; the first that tells counts.
    pub(crate) fn detect(lines: &[&str], names: &NamesOf) -> Option<Self> {
        lines.iter().find_map(|line| Self::of_line(line, names))
    }

    fn of_line(line: &str, names: &NamesOf) -> Option<Self> {
        if line.starts_with("#Version:") || line.starts_with("#Fields:") {
            return Some(Self::Cloudfront);
        }
        if line.starts_with('{') {
            let mut record = Record::default();
            json::read(line, &names.apigw, &mut Order::default(), &mut record).ok()?;
            // Only API Gateway has these; a path or an address may be anybody's.
            let own = [Slot::Template, Slot::ApiId, Slot::EpochMillis];
            let has_request = line.contains("equestId\"");
            if record.field(Slot::SourceIp).is_some()
                && (has_request || own.iter().any(|&slot| record.field(slot).is_some()))
            {
                return Some(Self::Apigw);
            }
            return Some(
                if line
                    .to_ascii_lowercase()
                    .contains("downstream_remote_address")
                {
                    Self::Envoy
                } else {
                    Self::Json
                },
            );
        }
        let mut words = line.split(' ');
        if words.next().is_some_and(alb::is_type)
            && words.next()?.starts_with(|c: char| c.is_ascii_digit())
        {
            return Some(Self::Alb);
        }
        for (format, has_agent) in [(Self::Nginx, true), (Self::Clf, false)] {
            if clf::read(line, has_agent, &mut Record::default()).is_ok() {
                return Some(format);
            }
        }
        columns::csv_header(line, &names.other)
            .filter(|columns| columns.len() > 1)
            .map(|_| Self::Csv)
    }
}

/// The names of fields by form.
#[derive(Clone, Debug)]
pub(crate) struct NamesOf {
    apigw: Arc<Names>,
    envoy: Arc<Names>,
    other: Arc<Names>,
}

impl NamesOf {
    /// Returns the built-in names, with those the user gives in front of all.
    pub(crate) fn new(given: &[(Slot, String)]) -> Self {
        Self {
            apigw: Arc::new(Names::new(names::APIGW, true, given)),
            envoy: Arc::new(Names::new(names::ENVOY, false, given)),
            other: Arc::new(Names::new(names::OTHER, false, given)),
        }
    }
}

/// How the lines of a log are read.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    format: LogFormat,
    names: Arc<Names>,
    /// The order of names, as lines of JSON tell it.
    order: Order,
    /// What is in which column; `None` before a header said so.
    columns: Option<Arc<Columns>>,
    /// The header of a CSV log, which stands where logs were joined, too.
    header: Arc<str>,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A request.
    Request,
    /// A comment or header.
    Comment,
}

impl Shape {
    /// Returns how the lines of a log are read that starts with these lines.
    pub(crate) fn new(
        format: LogFormat,
        first: &[&str],
        names: &NamesOf,
    ) -> Result<Self, Unreadable> {
        let of_format = match format {
            LogFormat::Apigw => &names.apigw,
            LogFormat::Envoy => &names.envoy,
            _ => &names.other,
        };
        let mut shape = Self {
            format,
            names: Arc::clone(of_format),
            order: Order::default(),
            columns: None,
            header: "".into(),
        };
        if format == LogFormat::Csv
            && let Some(header) = first.first()
        {
            let columns = columns::csv_header(header, &shape.names).ok_or(
                "no name in the header of the log is known; say with --field WHAT=NAME which column has what",
            )?;
            shape.columns = Some(Arc::new(columns));
            shape.header = (*header).into();
        }
        Ok(shape)
    }

    /// Takes notice of the last header in these lines.
    ///
    /// Only CloudFront's headers may change in the middle of a log.
    pub(crate) fn take_header(&mut self, lines: &[u8]) {
        if self.format != LogFormat::Cloudfront {
            return;
        }
        let Some(at) = memchr::memmem::rfind_iter(lines, b"#Fields:")
            .find(|&at| at == 0 || lines.get(at - 1) == Some(&b'\n'))
        else {
            return;
        };
        let rest = lines.get(at..).unwrap_or_default();
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        if let Ok(header) = core::str::from_utf8(rest.get(..end).unwrap_or_default())
            && let Some(columns) = columns::cloudfront_header(header.trim_end())
        {
            self.columns = Some(Arc::new(columns));
        }
    }

    /// Reads a line, without its end.
    #[inline]
    pub(crate) fn read<'a>(
        &mut self,
        line: &'a str,
        record: &mut Record<'a>,
    ) -> Result<Line, Unreadable> {
        match self.format {
            LogFormat::Apigw | LogFormat::Envoy | LogFormat::Json => {
                json::read(line, &self.names, &mut self.order, record)?;
            }
            LogFormat::Clf => clf::read(line, false, record)?,
            LogFormat::Nginx => clf::read(line, true, record)?,
            LogFormat::Alb => alb::read(line, record)?,
            LogFormat::Csv => {
                if line == &*self.header {
                    return Ok(Line::Comment);
                }
                let columns = self
                    .columns
                    .as_deref()
                    .ok_or("there is no header in front")?;
                columns::read_csv(line, columns, record)?;
            }
            LogFormat::Cloudfront => {
                if line.starts_with('#') {
                    if let Some(columns) = columns::cloudfront_header(line) {
                        self.columns = Some(Arc::new(columns));
                    }
                    return Ok(Line::Comment);
                }
                let columns = self
                    .columns
                    .as_deref()
                    .ok_or("there is no `#Fields:` in front")?;
                columns::read_cloudfront(line, columns, record)?;
            }
        }
        Ok(Line::Request)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn forms_are_told_by_a_line() {
        let names = NamesOf::new(&[]);
        for (line, expected) in [
            ("#Version: 1.0", Some(LogFormat::Cloudfront)),
            (
                r#"{"requestId":"x","ip":"192.0.2.1","httpMethod":"GET","resourcePath":"/"}"#,
                Some(LogFormat::Apigw),
            ),
            (
                r#"{"downstream_remote_address":"192.0.2.1:80","method":"GET","path":"/"}"#,
                Some(LogFormat::Envoy),
            ),
            (
                r#"{"remote_addr":"192.0.2.1","uri":"/"}"#,
                Some(LogFormat::Json),
            ),
            (
                r#"192.0.2.1 - - [10/Oct/2025:13:55:36 +0000] "GET / HTTP/1.1" 200 1 "-" "curl""#,
                Some(LogFormat::Nginx),
            ),
            (
                r#"192.0.2.1 - - [10/Oct/2025:13:55:36 +0000] "GET / HTTP/1.1" 200 1 c6af9ac6"#,
                Some(LogFormat::Clf),
            ),
            (
                r#"h2 2025-07-02T22:23:00Z app/x 10.0.1.252:48160 - 0 0 0 200 - 1 1 "GET https://a:443/ HTTP/2.0" "-""#,
                Some(LogFormat::Alb),
            ),
            ("time,source_ip,method,path", Some(LogFormat::Csv)),
            ("hello, world", None),
            ("{", None),
            ("\u{0}\u{1}", None),
        ] {
            assert_eq!(LogFormat::detect(&[line], &names), expected, "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_line_panics(line in any::<String>(), bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let names = NamesOf::new(&[]);
            let mostly = String::from_utf8_lossy(&bytes);
            for &format in LogFormat::value_variants() {
                for line in [&*line, &*mostly] {
                    let Ok(mut shape) = Shape::new(format, &["source_ip,path,method"], &names) else {
                        continue;
                    };
                    shape.take_header(line.as_bytes());
                    shape.take_header(b"#Fields: c-ip cs-method cs-uri-stem cs(User-Agent)\n");
                    let _ = shape.read(line, &mut Record::default());
                }
            }
            let _ = LogFormat::detect(&[&line, &mostly], &names);
        }

        #[test]
        fn no_line_of_the_alphabet_of_logs_panics(line in r#"[ \t\[\]"\\x{}:,/.\-#0-9a-z]{0,60}"#) {
            let names = NamesOf::new(&[]);
            for &format in LogFormat::value_variants() {
                let Ok(mut shape) = Shape::new(format, &["source_ip,path,method"], &names) else {
                    continue;
                };
                shape.take_header(b"#Fields: c-ip cs-method cs-uri-stem cs(User-Agent)\n");
                let _ = shape.read(&line, &mut Record::default());
            }
        }
    }
}
