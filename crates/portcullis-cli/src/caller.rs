//! Who calls, as a command line or a line of requests names it.

use std::borrow::Cow;

use portcullis::Principal;

/// A caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Caller<'a> {
    Anonymous,
    Aws(Cow<'a, str>),
    Service(Cow<'a, str>),
    Federated(Cow<'a, str>),
    CanonicalUser(Cow<'a, str>),
}

impl Caller<'_> {
    /// Returns the library's caller.
    pub(crate) fn as_principal(&self) -> Principal<'_> {
        match self {
            Self::Anonymous => Principal::Anonymous,
            Self::Aws(arn) => Principal::Aws(arn),
            Self::Service(name) => Principal::Service(name),
            Self::Federated(name) => Principal::Federated(name),
            Self::CanonicalUser(id) => Principal::CanonicalUser(id),
        }
    }
}
