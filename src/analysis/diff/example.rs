//! A request that proves a region, owned.

use core::net::IpAddr;

use crate::request::{Address, Principal, Request, Value};

/// A concrete request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    pub(super) caller: Caller,
    pub(super) action: String,
    pub(super) resource: String,
    pub(super) source: Source,
    pub(super) context: Vec<(String, Vec<String>)>,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    Anonymous,
    Aws(String),
    Service(String),
    Federated(String),
    CanonicalUser(String),
}

/// What the request has as `aws:SourceIp`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Absent,
    Known(IpAddr),
    Unreadable,
    Several(Vec<String>),
}

/// A text that is no address.
const UNREADABLE: &str = "unknown";

impl Example {
    /// Returns the caller.
    pub fn principal(&self) -> Principal<'_> {
        self.caller.as_principal()
    }

    /// Returns the action.
    pub fn action(&self) -> &str {
        &self.action
    }

    /// Returns the resource's ARN.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// Returns the address, if it has one.
    pub const fn source_ip(&self) -> Option<IpAddr> {
        match self.source {
            Source::Known(ip) => Some(ip),
            Source::Absent | Source::Unreadable | Source::Several(_) => None,
        }
    }

    /// Returns whether there is a value under `aws:SourceIp` and it is no address.
    pub const fn has_unreadable_source_ip(&self) -> bool {
        matches!(self.source, Source::Unreadable)
    }

    /// Returns the further condition keys, each with its values; several addresses stand here.
    pub fn context(&self) -> impl Iterator<Item = (&str, &[String])> {
        let several = match &self.source {
            Source::Several(texts) => Some(("aws:SourceIp", texts.as_slice())),
            Source::Absent | Source::Known(_) | Source::Unreadable => None,
        };
        let rest = (self.context.iter()).map(|(key, values)| (key.as_str(), values.as_slice()));
        several.into_iter().chain(rest)
    }

    /// Lends the request.
    pub fn with_request<T>(&self, use_it: impl FnOnce(&Request<'_>) -> T) -> T {
        let lists: Vec<(&str, Vec<&str>)> = self
            .context()
            .map(|(key, values)| (key, values.iter().map(String::as_str).collect()))
            .collect();
        let context: Vec<(&str, Value<'_>)> = (lists.iter())
            .map(|(key, values)| match values.as_slice() {
                [one] => (*key, Value::Text(one)),
                several => (*key, Value::Texts(several)),
            })
            .collect();
        let source = match &self.source {
            Source::Absent | Source::Several(_) => Address::Absent,
            Source::Known(ip) => Address::Known(*ip),
            Source::Unreadable => Address::Unreadable(UNREADABLE),
        };
        let request = Request::invoke(source, &self.resource)
            .with_action(&self.action)
            .with_principal(self.caller.as_principal())
            .with_context(&context);
        use_it(&request)
    }
}

impl Caller {
    pub(super) fn as_principal(&self) -> Principal<'_> {
        match self {
            Self::Anonymous => Principal::Anonymous,
            Self::Aws(arn) => Principal::Aws(arn),
            Self::Service(name) => Principal::Service(name),
            Self::Federated(name) => Principal::Federated(name),
            Self::CanonicalUser(id) => Principal::CanonicalUser(id),
        }
    }
}
