//! A request as the command line asks it.

use portcullis::{Address, Request, Value, is_address_key};

use crate::args::QuestionArgs;
use crate::caller::Caller;
use crate::failure::Failure;
use crate::terminal::visible;

/// A request, owned; the library's is lent from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    principal: Caller<'static>,
    action: String,
    resource: String,
    source_ip: Option<core::net::IpAddr>,
    /// Keys that differ in more than ASCII case, each with its values.
    context: Vec<(String, Vec<String>)>,
}

impl Question {
    /// Reads the request from the arguments; `resource` is what they call.
    ///
    /// Where a policy decides by an address, an address that cannot be read is a slip of
    /// the pen on a command line, and not a request to be denied: it is an error here.
    pub(crate) fn read(args: &QuestionArgs, resource: String) -> Result<Self, Failure> {
        let mut context = read_context(&args.context)?;
        for (key, values) in &context {
            if is_address_key(key) {
                for value in values {
                    read_address(value, &format!("--context {key}"))?;
                }
            }
        }
        let mut source_ip = None;
        let listed = context
            .iter()
            .position(|(key, _)| key.eq_ignore_ascii_case("aws:SourceIp"));
        match (&args.source_ip, listed) {
            (Some(_), Some(_)) => {
                return Err(Failure::usage(
                    "the source address is given twice, by --source-ip and by --context aws:SourceIp",
                    "give one of them",
                ));
            }
            (Some(text), None) => source_ip = Some(read_address(text, "--source-ip")?),
            (None, Some(index)) => {
                // One value is the address; several stay a key with several values.
                if let Some((key, values)) = context.get(index)
                    && let [value] = values.as_slice()
                {
                    source_ip = Some(read_address(value, &format!("--context {key}"))?);
                    context.remove(index);
                }
            }
            (None, None) => {}
        }
        Ok(Self {
            principal: read_caller(args.principal.as_deref())?,
            action: read_action(&args.action)?,
            resource,
            source_ip,
            context,
        })
    }

    /// Returns whether a key is missing from the request.
    pub(crate) fn lacks(&self, key: &str) -> bool {
        let is_key = |known: &str| known.eq_ignore_ascii_case(key);
        let has = self.context.iter().any(|(known, _)| is_key(known))
            || is_key("aws:SourceIp") && self.source_ip.is_some();
        !has
    }

    /// Returns what is called.
    pub(crate) fn resource(&self) -> &str {
        &self.resource
    }

    /// Calls `ask` with the library's request.
    pub(crate) fn with_request<T>(&self, ask: impl FnOnce(&Request<'_>) -> T) -> T {
        let lists: Vec<Vec<&str>> = self
            .context
            .iter()
            .map(|(_, values)| values.iter().map(String::as_str).collect())
            .collect();
        let context: Vec<(&str, Value<'_>)> = self
            .context
            .iter()
            .zip(&lists)
            .map(|((key, _), list)| {
                let value = match list.as_slice() {
                    [value] => Value::Text(value),
                    values => Value::Texts(values),
                };
                (key.as_str(), value)
            })
            .collect();
        let request = Request::invoke(Address::from(self.source_ip), &self.resource)
            .with_action(&self.action)
            .with_principal(self.principal.as_principal())
            .with_context(&context);
        ask(&request)
    }
}

/// Reads `KEY=VALUE`s; a key given again, in whatever case, has several values.
fn read_context(entries: &[String]) -> Result<Vec<(String, Vec<String>)>, Failure> {
    let mut context: Vec<(String, Vec<String>)> = Vec::new();
    for entry in entries {
        let Some((key, value)) = entry.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return Err(Failure::usage(
                format!(
                    "--context `{}` is no condition key with a value",
                    visible(entry)
                ),
                "write KEY=VALUE, such as --context aws:UserAgent=curl/8.5",
            ));
        };
        match context
            .iter_mut()
            .find(|(known, _)| known.eq_ignore_ascii_case(key))
        {
            Some((_, values)) => values.push(value.to_owned()),
            None => context.push((key.to_owned(), vec![value.to_owned()])),
        }
    }
    Ok(context)
}

fn read_address(text: &str, argument: &str) -> Result<core::net::IpAddr, Failure> {
    match Address::read(text) {
        Address::Known(ip) => Ok(ip),
        Address::Absent | Address::Unreadable(_) => Err(Failure::usage(
            format!("{argument} `{}` is no IP address", visible(text)),
            "write one address without port, zone, prefix length or leading zeros, such as 203.0.113.7 or 2001:db8::7",
        )),
    }
}

fn read_action(text: &str) -> Result<String, Failure> {
    let is_action = match text.split_once(':') {
        Some((service, name)) => !service.is_empty() && !name.is_empty(),
        None => false,
    };
    if is_action && !text.contains(|c: char| matches!(c, '*' | '?') || c.is_whitespace()) {
        return Ok(text.to_owned());
    }
    Err(Failure::usage(
        format!("--action `{}` is no action of a request", visible(text)),
        "write SERVICE:NAME without wildcards, such as execute-api:Invoke",
    ))
}

fn read_caller(text: Option<&str>) -> Result<Caller<'static>, Failure> {
    let Some(text) = text else {
        return Ok(Caller::Anonymous);
    };
    let caller = match text.split_once('=') {
        Some(("Service", name)) => Some(Caller::Service(name.to_owned().into())),
        Some(("Federated", name)) => Some(Caller::Federated(name.to_owned().into())),
        Some(("CanonicalUser", id)) => Some(Caller::CanonicalUser(id.to_owned().into())),
        Some(("AWS", arn)) if arn.starts_with("arn:") => Some(Caller::Aws(arn.to_owned().into())),
        _ if text.starts_with("arn:") => Some(Caller::Aws(text.to_owned().into())),
        _ => None,
    };
    // Names have no wildcards: the policy's `*` is nobody who calls.
    let named = !text.ends_with('=') && !text.contains(['*', '?']);
    caller.filter(|_| named).ok_or_else(|| {
        Failure::usage(
            format!("--principal `{}` names no caller", visible(text)),
            "give the ARN of a user, role or role session, such as arn:aws:iam::123456789012:user/partner, \
             or Service=NAME, Federated=NAME, CanonicalUser=ID; leave it out for an anonymous caller",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(list: &[&str]) -> Vec<String> {
        list.iter().map(|&entry| entry.to_owned()).collect()
    }

    #[test]
    fn a_key_given_again_has_several_values() {
        let context = read_context(&entries(&["a:B=1=2", "c=", "A:b=3"])).unwrap();
        let expected = [
            ("a:B".to_owned(), entries(&["1=2", "3"])),
            ("c".to_owned(), entries(&[""])),
        ];
        assert_eq!(context, expected);
        for wrong in ["=1", "a:B", ""] {
            assert!(read_context(&entries(&[wrong])).is_err(), "{wrong}");
        }
    }

    #[test]
    fn actions_have_a_service_and_no_wildcards() {
        assert!(read_action("execute-api:Invoke").is_ok());
        for wrong in [
            "",
            "*",
            "Invoke",
            "execute-api:*",
            "execute-api:",
            ":Invoke",
            "a: b",
        ] {
            assert!(read_action(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn callers_are_arns_or_named_kinds() {
        let arn = "arn:aws:iam::123456789012:user/a=b";
        assert_eq!(read_caller(None).unwrap(), Caller::Anonymous);
        assert_eq!(
            read_caller(Some(arn)).unwrap(),
            Caller::Aws(arn.to_owned().into())
        );
        assert_eq!(
            read_caller(Some("Service=apigateway.amazonaws.com")).unwrap(),
            Caller::Service("apigateway.amazonaws.com".into())
        );
        for wrong in [
            "*",
            "",
            "123456789012",
            "Service=",
            "Federated=*",
            "AWS=*",
            "arn:aws:iam::123456789012:user/*",
            "Group=x",
        ] {
            assert!(read_caller(Some(wrong)).is_err(), "{wrong}");
        }
    }
}
