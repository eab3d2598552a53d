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

use alloc::borrow::ToOwned;
use alloc::string::String;
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
// PERF: in this order what nearly every decision reads is in the first 64 bytes.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Request<'a> {
    /// `None` for [`Request::INVOKE`], so that a decision sees at a glance what nearly every request asks.
    other_action: Option<&'a str>,
    source_ip: Address<'a>,
    resource: &'a str,
    principal: Principal<'a>,
    context: &'a [(&'a str, Value<'a>)],
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(core::mem::offset_of!(Request<'_>, principal) < 64);

impl<'a> Request<'a> {
    /// The action of a call to an API.
    pub const INVOKE: &'static str = "execute-api:Invoke";

    /// Returns an anonymous call of `resource` from `source_ip`.
    #[inline]
    pub fn invoke(source_ip: impl Into<Address<'a>>, resource: &'a str) -> Self {
        Self {
            principal: Principal::Anonymous,
            other_action: None,
            resource,
            source_ip: source_ip.into(),
            context: &[],
        }
    }

    /// Returns the request with another action, `service:Name`.
    #[must_use]
    #[inline]
    pub const fn with_action(mut self, action: &'a str) -> Self {
        self.other_action = if is_invoke(action) {
            None
        } else {
            Some(action)
        };
        self
    }

    /// Returns the request with another resource.
    #[must_use]
    #[inline]
    pub const fn with_resource(mut self, resource: &'a str) -> Self {
        self.resource = resource;
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
        match self.other_action {
            None => Self::INVOKE,
            Some(other) => other,
        }
    }

    /// Returns whether an anonymous caller invokes.
    #[inline(always)]
    pub(crate) const fn is_open(&self) -> bool {
        self.other_action.is_none() && matches!(self.principal, Principal::Anonymous)
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

/// Returns whether an action is [`Request::INVOKE`]; by hand, as texts cannot be compared in a
/// constant yet.
const fn is_invoke(action: &str) -> bool {
    const fn ends(text: &str) -> Option<(u128, u128)> {
        match (text.as_bytes().first_chunk(), text.as_bytes().last_chunk()) {
            (Some(first), Some(last)) => {
                Some((u128::from_le_bytes(*first), u128::from_le_bytes(*last)))
            }
            _ => None,
        }
    }
    // Up to 32 bytes the two ends are all of it.
    match (ends(action), ends(Request::INVOKE)) {
        (Some(a), Some(b)) => action.len() == Request::INVOKE.len() && a.0 == b.0 && a.1 == b.1,
        _ => false,
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
    ///
    /// # Errors
    ///
    /// A part that is empty, or has a character that would end it (`:`, `/`, white space) or
    /// that resources take for something else (`*`, `?`, `$`, `{`): short-hand stands for the
    /// resources of one API.
    pub fn new(partition: &str, region: &str, account: &str, id: &str) -> Result<Self, ApiError> {
        for (part, text) in [
            ("partition", partition),
            ("region", region),
            ("account", account),
            ("id", id),
        ] {
            let offending = text
                .chars()
                .find(|&character| is_special(character) || matches!(character, ':' | '/'));
            if text.is_empty() || offending.is_some() {
                return Err(ApiError { part, offending });
            }
        }
        Ok(Self {
            partition: partition.to_owned(),
            region: region.to_owned(),
            account: account.to_owned(),
            id: id.to_owned(),
        })
    }

    /// Reads the API from a request's ARN, or `None` where it is no `execute-api` ARN with an API id.
    ///
    /// Region and account may be empty. An ARN whose parts up to the id hold a character that
    /// resources take for something else is that of no API: `*` in it would stand for all.
    pub fn from_arn(arn: &str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let (scheme, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
        let (region, account, rest) = (parts.next()?, parts.next()?, parts.next()?);
        let id = rest.split('/').next()?;
        if scheme != "arn" || service != "execute-api" || id.is_empty() {
            return None;
        }
        let parts = [partition, region, account, id];
        if parts.iter().any(|part| part.contains(is_special)) {
            return None;
        }
        let [partition, region, account, id] = parts.map(str::to_owned);
        Some(Self {
            partition,
            region,
            account,
            id,
        })
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

/// Returns whether a character would not stand for itself in a resource, or in no part of an ARN.
fn is_special(character: char) -> bool {
    matches!(character, '*' | '?' | '$' | '{')
        || character.is_whitespace()
        || character.is_control()
}

/// Why parts are those of no API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    part: &'static str,
    /// `None`: the part is empty.
    offending: Option<char>,
}

impl ApiError {
    /// Returns which part is wrong: `partition`, `region`, `account` or `id`.
    pub const fn part(&self) -> &'static str {
        self.part
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { part, offending } = self;
        let example = match *part {
            "partition" => "aws",
            "region" => "eu-central-1",
            "account" => "123456789012",
            _ => "io75qg1rvf",
        };
        match offending {
            None => write!(f, "the API's {part} is empty")?,
            Some(character) if character.is_whitespace() => {
                write!(f, "the API's {part} has white space in it")?;
            }
            Some(character) => {
                write!(
                    f,
                    "the API's {part} has a `{}` in it",
                    character.escape_debug()
                )?;
            }
        }
        write!(f, "; give the {part} of one API, such as `{example}`")
    }
}

impl core::error::Error for ApiError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_invoking_is_invoking() {
        let action = |action| Request::invoke(Address::Absent, "").with_action(action);
        let same = Request::INVOKE.to_owned();
        assert!(action(&same).is_open());
        assert_eq!(action(&same).action(), Request::INVOKE);
        for other in [
            "",
            "*",
            "execute-api:invoke",
            "xxecute-api:Invoke",
            "execute-api:Invokes",
            "execute-api:Invok",
            "execute-api:InvalidateCache",
        ] {
            let request = action(other);
            assert!(!request.is_open(), "{other}");
            assert_eq!(request.action(), other);
            assert!(request.with_action(&same).is_open());
        }
        assert!(!action(&same).with_principal(Principal::Aws("")).is_open());
    }

    #[test]
    fn parts_of_an_api_stand_for_themselves() {
        let parts = ["aws", "eu-central-1", "123456789012", "io75qg1rvf"];
        let new =
            |[partition, region, account, id]: [&str; 4]| Api::new(partition, region, account, id);
        let arn = "arn:aws:execute-api:eu-central-1:123456789012:io75qg1rvf/";
        assert_eq!(new(parts).unwrap().to_string(), arn);
        for (index, part) in ["partition", "region", "account", "id"]
            .into_iter()
            .enumerate()
        {
            for wrong in [
                "", "*", "a*", "?", "${x}", "{", "a:b", "a/b", " a", "a\u{a0}", "\0", "\n",
            ] {
                let mut parts = parts;
                parts[index] = wrong;
                assert_eq!(new(parts).unwrap_err().part(), part, "{wrong:?}");
            }
        }
    }

    #[test]
    fn messages_name_the_part_and_the_remedy() {
        let message = |part, offending| ApiError { part, offending }.to_string();
        assert_eq!(
            message("region", Some('*')),
            "the API's region has a `*` in it; give the region of one API, such as `eu-central-1`"
        );
        assert_eq!(
            message("id", None),
            "the API's id is empty; give the id of one API, such as `io75qg1rvf`"
        );
        assert_eq!(
            message("account", Some('\n')),
            "the API's account has white space in it; give the account of one API, such as `123456789012`"
        );
        assert_eq!(
            message("partition", Some('\u{7}')),
            "the API's partition has a `\\u{7}` in it; give the partition of one API, such as `aws`"
        );
    }

    /// What is asked for can hold anything; as an API it must not become a pattern.
    #[test]
    fn no_api_is_read_from_an_arn_with_wildcards() {
        for (arn, expected) in [
            (
                "arn:aws:execute-api:r:1:abc/prod/GET/*",
                Some("arn:aws:execute-api:r:1:abc/"),
            ),
            (
                "arn:aws:execute-api:::abc",
                Some("arn:aws:execute-api:::abc/"),
            ),
            (
                "arn:aws:execute-api:r:1:a:b/p",
                Some("arn:aws:execute-api:r:1:a:b/"),
            ),
            ("arn:aws:execute-api:r:1:/p", None),
            ("arn:aws:execute-api:r:1:*/p", None),
            ("arn:aws:execute-api:r:1:a?c/p", None),
            ("arn:aws:execute-api:*:1:abc/p", None),
            ("arn:a*:execute-api:r:1:abc/p", None),
            ("arn:aws:execute-api:r:${x}:abc/p", None),
            ("arn:aws:execute-api:r: 1:abc/p", None),
            ("arn:aws:s3:r:1:abc/p", None),
        ] {
            let api = Api::from_arn(arn).map(|api| api.to_string());
            assert_eq!(api.as_deref(), expected, "{arn}");
        }
    }
}
