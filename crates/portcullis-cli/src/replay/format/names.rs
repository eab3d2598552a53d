//! What fields are called in logs with names.

use crate::replay::record::Slot;

/// The names of a log's fields, found by length, first and last byte, and then by all bytes.
///
/// PERF: nearly all fields of a line are none of these, and are told so without a comparison.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// INVARIANT: [`BUCKETS`] of them.
    buckets: Vec<Vec<(Box<str>, Slot, u8)>>,
    /// The starts of dotted names up to and with a dot.
    objects: Vec<Box<str>>,
}

impl Names {
    /// Returns the names of a built-in table, with those the user gives in front of all.
    pub(crate) fn new(table: &[(Slot, &[&str])], context: bool, given: &[(Slot, String)]) -> Self {
        let mut names = Self {
            buckets: vec![Vec::new(); BUCKETS],
            objects: Vec::new(),
        };
        for (slot, name) in given {
            names.add(name, *slot, 0);
        }
        for (slot, spellings) in table {
            for (rank, name) in (1..).zip(*spellings) {
                names.add(name, *slot, rank);
                if context {
                    names.add(&format!("$context.{name}"), *slot, rank);
                    names.add(&format!("context.{name}"), *slot, rank);
                }
            }
        }
        names
    }

    fn add(&mut self, name: &str, slot: Slot, rank: u8) {
        for (dot, _) in name.match_indices('.') {
            if let Some(object) = name.get(..=dot)
                && !self.objects.iter().any(|known| &**known == object)
            {
                self.objects.push(object.into());
            }
        }
        if let Some(bucket) = self.buckets.get_mut(bucket(name))
            && !bucket.iter().any(|(known, ..)| &**known == name)
        {
            bucket.push((name.into(), slot, rank));
        }
    }

    /// Returns what a field of this name tells, and how good the name is.
    #[inline]
    pub(crate) fn find(&self, name: &str) -> Option<(Slot, u8)> {
        let found = self
            .buckets
            .get(bucket(name))?
            .iter()
            .find(|(known, ..)| **known == *name);
        found.map(|(_, slot, rank)| (*slot, *rank))
    }

    /// Returns whether some name goes on behind this start, which ends in a dot.
    pub(crate) fn goes_into(&self, start: &str) -> bool {
        self.objects.iter().any(|object| **object == *start)
    }
}

/// Returns the place of the bucket that a name belongs to.
#[inline]
fn bucket(name: &str) -> usize {
    let ends = match name.as_bytes() {
        [first, .., last] => usize::from(*first) * 7 + usize::from(*last) * 31,
        _ => 0,
    };
    (name.len() + ends) % BUCKETS
}

/// A power of two, well above the number of names.
const BUCKETS: usize = 1 << 10;

/// API Gateway: the variables of `$context`, and what the documentation's own examples call them.
pub(crate) const APIGW: &[(Slot, &[&str])] = &[
    (
        Slot::SourceIp,
        &[
            "identity.sourceIp",
            "identity_sourceIp",
            "identitySourceIp",
            "sourceIp",
            "sourceIP",
            "source_ip",
            "ip",
            "http.sourceIp",
            "clientIp",
            "client_ip",
        ],
    ),
    (
        Slot::Method,
        &["httpMethod", "http.method", "http_method", "method"],
    ),
    (Slot::StagedPath, &["path", "http.path"]),
    (
        Slot::Template,
        &["resourcePath", "resource_path", "routeKey", "route_key"],
    ),
    (Slot::Stage, &["stage"]),
    (Slot::ApiId, &["apiId", "apiid", "api_id"]),
    (Slot::AccountId, &["accountId", "account_id"]),
    (
        Slot::Principal,
        &[
            "identity.userArn",
            "identity_userArn",
            "identityUserArn",
            "userArn",
            "user_arn",
        ],
    ),
    (
        Slot::UserAgent,
        &[
            "identity.userAgent",
            "identity_userAgent",
            "identityUserAgent",
            "userAgent",
            "user_agent",
        ],
    ),
    (
        Slot::EpochMillis,
        &["requestTimeEpoch", "request_time_epoch"],
    ),
    (Slot::Time, &["requestTime", "request_time"]),
];

/// Envoy: the names of Istio and of the documentation, for the operators of the access log.
pub(crate) const ENVOY: &[(Slot, &[&str])] = &[
    (
        Slot::SourceIp,
        &[
            "downstream_remote_address_without_port",
            "downstream_remote_address",
            "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT",
            "DOWNSTREAM_REMOTE_ADDRESS",
        ],
    ),
    (
        Slot::Method,
        &["method", "request_method", ":method", "req_method"],
    ),
    (
        Slot::Path,
        &[
            "x_envoy_original_path",
            "x-envoy-original-path",
            "path",
            ":path",
            "request_path",
            "uri_path",
            "req_path",
        ],
    ),
    (Slot::UserAgent, &["user_agent", "user-agent", "userAgent"]),
    (Slot::Time, &["start_time", "START_TIME", "timestamp"]),
];

/// JSON lines and CSV: what programs call these things.
pub(crate) const OTHER: &[(Slot, &[&str])] = &[
    (
        Slot::SourceIp,
        &[
            "source_ip",
            "sourceIp",
            "sourceIP",
            "src_ip",
            "srcIp",
            "remote_addr",
            "remote_ip",
            "remoteIp",
            "remoteAddr",
            "client_ip",
            "clientIp",
            "clientIP",
            "client_addr",
            "ClientIP",
            "c-ip",
            "ip",
            "httpRequest.remoteIp",
            "httpRequest.clientIp",
            "client.ip",
            "client.address",
            "source.ip",
        ],
    ),
    (
        Slot::Method,
        &[
            "method",
            "http_method",
            "httpMethod",
            "request_method",
            "requestMethod",
            "cs-method",
            "verb",
            "httpRequest.requestMethod",
            "httpRequest.httpMethod",
            "http.request.method",
            "http.method",
        ],
    ),
    (
        Slot::Path,
        &[
            "path",
            "request_path",
            "uri",
            "request_uri",
            "url",
            "cs-uri-stem",
            "httpRequest.requestUrl",
            "httpRequest.uri",
            "url.path",
            "http.target",
        ],
    ),
    (
        Slot::Template,
        &["resourcePath", "resource_path", "routeKey"],
    ),
    (Slot::RequestLine, &["request", "request_line"]),
    (Slot::Stage, &["stage"]),
    (Slot::ApiId, &["api_id", "apiId"]),
    (Slot::AccountId, &["account_id", "accountId"]),
    (
        Slot::Principal,
        &["principal", "user_arn", "userArn", "principal_arn"],
    ),
    (
        Slot::UserAgent,
        &[
            "user_agent",
            "userAgent",
            "http_user_agent",
            "agent",
            "httpRequest.userAgent",
            "user_agent.original",
        ],
    ),
    (
        Slot::EpochMillis,
        &["epoch_ms", "requestTimeEpoch", "timestamp_ms"],
    ),
    (
        Slot::Time,
        &[
            "time",
            "timestamp",
            "@timestamp",
            "time_iso8601",
            "ts",
            "requestTime",
            "datetime",
        ],
    ),
];
