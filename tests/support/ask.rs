//! Lends the library's borrowed `Request` from an owned one, in every way that means the same.

use core::net::IpAddr;

use portcullis::{Address, Principal, Request, Value};

use super::request::{Caller, OtherCaller, OwnedRequest, OwnedValue};

/// A way to hand over one and the same request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// The address by `Address::read`, every value as text.
    Plain,
    /// An address that parses is `Known` as parsed, so an IPv4-mapped one is still IPv6.
    AddressAsParsed,
    /// `aws:SourceIp` is an entry of the context, not the field.
    AddressInContext,
    /// A value that is the canonical text of an address is handed over as that address.
    AddressValues,
    /// A single value is handed over as a list of one, no value as an empty list.
    ListsOfOne,
    /// The names of keys are in capitals.
    KeysInCapitals,
}

impl Reading {
    pub(crate) const ALL: [Self; 6] = [
        Self::Plain,
        Self::AddressAsParsed,
        Self::AddressInContext,
        Self::AddressValues,
        Self::ListsOfOne,
        Self::KeysInCapitals,
    ];
}

impl OwnedRequest {
    /// Calls `ask` with the request, handed over in the given way.
    pub(crate) fn lend<T>(&self, reading: Reading, ask: impl FnOnce(&Request<'_>) -> T) -> T {
        let keys: Vec<String> = match reading {
            Reading::KeysInCapitals => self
                .context
                .iter()
                .map(|(key, _)| key.to_ascii_uppercase())
                .collect(),
            _ => Vec::new(),
        };
        let lists: Vec<Vec<&str>> = self
            .context
            .iter()
            .map(|(_, value)| match value {
                OwnedValue::Text(text) => vec![text.as_str()],
                OwnedValue::Texts(texts) => texts.iter().map(String::as_str).collect(),
            })
            .collect();
        let mut context: Vec<(&str, Value<'_>)> = Vec::with_capacity(self.context.len() + 1);
        let mut source_ip = Address::Absent;
        if let Some(text) = self.source_ip.as_deref() {
            match (reading, text.parse::<IpAddr>()) {
                (Reading::AddressInContext, _) => context.push(("aws:SourceIp", Value::Text(text))),
                (Reading::AddressAsParsed, Ok(ip)) => source_ip = Address::Known(ip),
                _ => source_ip = Address::read(text),
            }
        }
        for (index, ((key, value), list)) in self.context.iter().zip(&lists).enumerate() {
            let key = keys.get(index).unwrap_or(key);
            let value = match value {
                OwnedValue::Text(text) => match (reading, canonical(text)) {
                    (Reading::AddressValues, Some(ip)) => Value::Address(ip),
                    (Reading::ListsOfOne, _) => Value::Texts(list),
                    _ => Value::Text(text),
                },
                OwnedValue::Texts(_) => Value::Texts(list),
            };
            context.push((key, value));
        }
        let request = Request::invoke(source_ip, &self.resource)
            .with_action(&self.action)
            .with_principal(match &self.principal {
                None => Principal::Anonymous,
                Some(Caller::Arn(arn)) => Principal::Aws(arn),
                Some(Caller::Other(OtherCaller::Service(name))) => Principal::Service(name),
                Some(Caller::Other(OtherCaller::Federated(name))) => Principal::Federated(name),
                Some(Caller::Other(OtherCaller::CanonicalUser(id))) => Principal::CanonicalUser(id),
            })
            .with_context(&context);
        ask(&request)
    }
}

/// Returns the address whose canonical text this is.
fn canonical(text: &str) -> Option<IpAddr> {
    let ip: IpAddr = text.parse().ok()?;
    (ip.to_canonical().to_string() == text).then_some(ip)
}
