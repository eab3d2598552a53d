//! What is asked: who does what to which resource, from which address.
//!
//! A [`Request`] borrows everything, so building one costs nothing. It is a record of
//! facts: nothing is derived (no clock, no `aws:PrincipalArn` from the principal), so
//! that a decision is a pure function of the policies and the request.
//!
//! # The rules both evaluators follow when they read it
//!
//! - Key names are compared without regard to ASCII case; of several equal names the
//!   first counts. [`Request::source_ip`] is `aws:SourceIp`; unless it is
//!   [`Address::Absent`], it wins over an entry of that name in the context.
//! - A list of one value is that value. An empty list is an absent key. An empty text
//!   is an absent key too, but for address keys ([`is_address_key`]) and address
//!   conditions, where it is an unreadable address.
//! - IPv4-mapped IPv6 addresses are IPv4 addresses. The text of an address, for
//!   conditions that compare text, is its canonical form.

use core::fmt;
use core::net::IpAddr;

/// A request to decide about.
///
/// # Example
///
/// ```
/// use portcullis::{Address, Principal, Request, Value};
///
/// let context = [("aws:UserAgent", Value::Text("curl/8.5"))];
/// let request = Request::invoke(
///     Address::read("203.0.113.7"),
///     "arn:aws:execute-api:us-east-1:123456789012:abc123/prod/GET/pets",
/// )
/// .with_principal(Principal::Aws("arn:aws:iam::123456789012:user/alice"))
/// .with_context(&context);
/// assert_eq!(request.action(), "execute-api:Invoke");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    principal: Principal<'a>,
    action: &'a str,
    resource: &'a str,
    source_ip: Address<'a>,
    context: &'a [(&'a str, Value<'a>)],
}

impl<'a> Request<'a> {
    /// The action of a call to an API.
    pub const INVOKE: &'static str = "execute-api:Invoke";

    /// Returns an anonymous call of `resource` from `source_ip`.
    #[inline]
    pub fn invoke(source_ip: impl Into<Address<'a>>, resource: &'a str) -> Self {
        Self {
            principal: Principal::Anonymous,
            action: Self::INVOKE,
            resource,
            source_ip: source_ip.into(),
            context: &[],
        }
    }

    /// Returns the request with another action, `service:Name`.
    #[must_use]
    #[inline]
    pub const fn with_action(mut self, action: &'a str) -> Self {
        self.action = action;
        self
    }

    /// Returns the request with another caller.
    #[must_use]
    #[inline]
    pub const fn with_principal(mut self, principal: Principal<'a>) -> Self {
        self.principal = principal;
        self
    }

    /// Returns the request with these further condition keys.
    #[must_use]
    #[inline]
    pub const fn with_context(mut self, context: &'a [(&'a str, Value<'a>)]) -> Self {
        self.context = context;
        self
    }

    /// Returns the caller.
    #[inline]
    pub const fn principal(&self) -> Principal<'a> {
        self.principal
    }

    /// Returns the action.
    #[inline]
    pub const fn action(&self) -> &'a str {
        self.action
    }

    /// Returns the resource's ARN.
    #[inline]
    pub const fn resource(&self) -> &'a str {
        self.resource
    }

    /// Returns the value of `aws:SourceIp`.
    #[inline]
    pub const fn source_ip(&self) -> Address<'a> {
        self.source_ip
    }

    /// Returns the further condition keys, as given.
    #[inline]
    pub const fn context(&self) -> &'a [(&'a str, Value<'a>)] {
        self.context
    }
}

/// Who calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Principal<'a> {
    /// Nobody known: an unsigned request.
    #[default]
    Anonymous,
    /// An IAM identity by ARN: a user, a role, a role session, a federated session, an account's root.
    Aws(&'a str),
    /// An AWS service, such as `apigateway.amazonaws.com`.
    Service(&'a str),
    /// A web identity or SAML provider.
    Federated(&'a str),
    /// An S3 canonical user id.
    CanonicalUser(&'a str),
}

/// The value of an address-typed condition key: absent, known or unreadable.
///
/// An unreadable address satisfies every address condition of a Deny and none of an
/// Allow, so that a client whose address cannot be told is never let in by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Address<'a> {
    /// The key is not in the request.
    #[default]
    Absent,
    /// The address; an IPv4-mapped IPv6 address counts as IPv4.
    Known(IpAddr),
    /// There was a value, this text, and it is no address.
    Unreadable(&'a str),
}

impl<'a> Address<'a> {
    /// Reads an address from text; what is not exactly an IPv4 or IPv6 address is [`Address::Unreadable`].
    ///
    /// No surrounding space, no port, no zone, no leading zeros in octets.
    ///
    /// ```
    /// use portcullis::Address;
    /// assert!(matches!(Address::read("2001:db8::1"), Address::Known(_)));
    /// assert!(matches!(Address::read("203.0.113.007"), Address::Unreadable(_)));
    /// assert!(matches!(Address::read("unknown"), Address::Unreadable(_)));
    /// ```
    pub fn read(text: &'a str) -> Self {
        match text.parse::<IpAddr>() {
            Ok(ip) => Self::Known(ip.to_canonical()),
            Err(_) => Self::Unreadable(text),
        }
    }
}

impl From<IpAddr> for Address<'_> {
    #[inline]
    fn from(ip: IpAddr) -> Self {
        Self::Known(ip)
    }
}

impl From<core::net::Ipv4Addr> for Address<'_> {
    #[inline]
    fn from(ip: core::net::Ipv4Addr) -> Self {
        Self::Known(IpAddr::V4(ip))
    }
}

impl From<core::net::Ipv6Addr> for Address<'_> {
    #[inline]
    fn from(ip: core::net::Ipv6Addr) -> Self {
        Self::Known(IpAddr::V6(ip))
    }
}

impl From<Option<IpAddr>> for Address<'_> {
    #[inline]
    fn from(ip: Option<IpAddr>) -> Self {
        ip.map_or(Self::Absent, Self::Known)
    }
}

/// The value of a condition key in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// One value. Numbers, dates and booleans are text too, as the policy language has them.
    Text(&'a str),
    /// Several values.
    Texts(&'a [&'a str]),
    /// One address, for keys other than `aws:SourceIp`.
    Address(IpAddr),
}

/// Returns whether `key` is one of AWS's address-typed keys: `aws:SourceIp` and `aws:VpcSourceIp`.
///
/// For these an empty text is an unreadable address and not an absent key, whatever the condition.
#[inline]
pub fn is_address_key(key: &str) -> bool {
    key.eq_ignore_ascii_case("aws:SourceIp") || key.eq_ignore_ascii_case("aws:VpcSourceIp")
}

/// The API that short-hand resources (`execute-api:/stage/METHOD/path`) belong to.
///
/// ```
/// use portcullis::Api;
/// let api = Api::from_arn("arn:aws:execute-api:eu-central-1:123456789012:io75qg1rvf/test/GET/")
///     .ok_or("no execute-api ARN")?;
/// assert_eq!(api.to_string(), "arn:aws:execute-api:eu-central-1:123456789012:io75qg1rvf/");
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Api {
    partition: String,
    region: String,
    account: String,
    id: String,
}

impl Api {
    /// Returns the API with these parts, each as it stands in an ARN.
    pub fn new(partition: &str, region: &str, account: &str, id: &str) -> Self {
        Self {
            partition: partition.to_owned(),
            region: region.to_owned(),
            account: account.to_owned(),
            id: id.to_owned(),
        }
    }

    /// Reads the API from a request's ARN, or `None` where it is no `execute-api` ARN with an API id.
    pub fn from_arn(arn: &str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let (scheme, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
        let (region, account, rest) = (parts.next()?, parts.next()?, parts.next()?);
        let id = rest.split('/').next()?;
        if scheme != "arn" || service != "execute-api" || id.is_empty() {
            return None;
        }
        Some(Self::new(partition, region, account, id))
    }
}

impl fmt::Display for Api {
    /// Writes the ARN up to and with the slash after the API's id.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            partition,
            region,
            account,
            id,
        } = self;
        write!(f, "arn:{partition}:execute-api:{region}:{account}:{id}/")
    }
}
