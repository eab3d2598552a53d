//! The request of a line.

use std::borrow::Cow;
use std::collections::HashSet;

use portcullis::{Address, Request, Value};

use super::line::{Entry, LineError, Others, Piece, shown};
use crate::caller::Caller;

/// A request as a line has it; the library's is lent from it.
#[derive(Clone, Debug)]
pub(super) struct LineRequest<'a> {
    principal: Caller<'a>,
    action: Cow<'a, str>,
    resource: Cow<'a, str>,
    source_ip: Option<Cow<'a, str>>,
    context: Vec<(Cow<'a, str>, LineValue<'a>)>,
    resource_piece: Piece<'a>,
}

#[derive(Clone, Debug)]
enum LineValue<'a> {
    One(Cow<'a, str>),
    Several(Vec<Cow<'a, str>>),
}

impl<'a> LineRequest<'a> {
    /// Reads the object in the line's field `request`.
    pub(super) fn read(piece: Piece<'a>) -> Result<Self, LineError> {
        let [principal, action, resource, context, _] =
            piece.fields(&FIELDS, Others::Refused, "request")?;
        let missing = |name: &str, such_as: &str| {
            piece.error(
                format!("`{name}` is missing; give it, such as {such_as}"),
                "request",
            )
        };
        let action = action.ok_or_else(|| missing("action", "`\"execute-api:Invoke\"`"))?;
        let resource = resource.ok_or_else(|| {
            missing(
                "resource",
                "`\"arn:aws:execute-api:us-east-1:123456789012:abc123/prod/GET/pets\"`",
            )
        })?;
        // A line whose context has another name must not pass for one without an address.
        let context = context
            .ok_or_else(|| missing("context", "`{\"aws:SourceIp\":\"203.0.113.7\"}`, or `{}`"))?;
        let (source_ip, context) = read_context(context)?;
        Ok(Self {
            principal: principal.map_or(Ok(Caller::Anonymous), read_caller)?,
            action: text(action, "request.action")?,
            resource: text(resource, "request.resource")?,
            source_ip,
            context,
            resource_piece: resource,
        })
    }

    /// Returns where the resource is in the line.
    pub(super) const fn resource_piece(&self) -> Piece<'a> {
        self.resource_piece
    }

    /// Calls `ask` with the library's request.
    pub(super) fn with_request<T>(&self, ask: impl FnOnce(&Request<'_>) -> T) -> T {
        let lists: Vec<Vec<&str>> = self
            .context
            .iter()
            .filter_map(|(_, value)| match value {
                LineValue::One(_) => None,
                LineValue::Several(list) => Some(list.iter().map(|item| &**item).collect()),
            })
            .collect();
        let mut lists = lists.iter();
        let context: Vec<(&str, Value<'_>)> = self
            .context
            .iter()
            .map(|(key, value)| {
                let value = match value {
                    LineValue::One(text) => Value::Text(text),
                    LineValue::Several(_) => Value::Texts(lists.next().map_or(&[], Vec::as_slice)),
                };
                (&**key, value)
            })
            .collect();
        let source_ip = self
            .source_ip
            .as_deref()
            .map_or(Address::Absent, Address::read);
        let request = Request::invoke(source_ip, &self.resource)
            .with_action(&self.action)
            .with_principal(self.principal.as_principal())
            .with_context(&context);
        ask(&request)
    }
}

/// `resourceAccount` is what other evaluators want to know; here the resource's ARN says it.
const FIELDS: [&str; 5] = [
    "principal",
    "action",
    "resource",
    "context",
    "resourceAccount",
];

/// The text of `aws:SourceIp` where it has one value, and all other keys.
type Context<'a> = (Option<Cow<'a, str>>, Vec<(Cow<'a, str>, LineValue<'a>)>);

/// Reads the condition keys.
fn read_context(piece: Piece<'_>) -> Result<Context<'_>, LineError> {
    const WHAT: &str = "an object with condition keys and their values";
    let entries = piece.entries(WHAT, "request.context")?;
    if let Some(Entry { key, key_piece, .. }) = given_again(&entries) {
        let message = format!(
            "the key `{}` is given twice (case does not count); keep one of them, with a list if it has several values",
            shown(key)
        );
        return Err(key_piece.error(message, format!("request.context.{key}")));
    }
    let mut source_ip = None;
    let mut context = Vec::with_capacity(entries.len());
    for Entry { key, value, .. } in entries {
        match read_value(value, &key)? {
            None => {}
            Some(LineValue::One(text)) if key.eq_ignore_ascii_case("aws:SourceIp") => {
                source_ip = Some(text);
            }
            Some(value) => context.push((key, value)),
        }
    }
    Ok((source_ip, context))
}

/// Returns the first entry whose key one before it has too, but for ASCII case.
fn given_again<'e, 'a>(entries: &'e [Entry<'a>]) -> Option<&'e Entry<'a>> {
    // A handful is compared faster than hashed; more would take time of their square.
    if entries.len() <= HANDFUL {
        return entries.iter().enumerate().find_map(|(index, entry)| {
            let mut before = entries.iter().take(index);
            before
                .any(|known| known.key.eq_ignore_ascii_case(&entry.key))
                .then_some(entry)
        });
    }
    let mut known = HashSet::with_capacity(entries.len());
    entries
        .iter()
        .find(|entry| !known.insert(entry.key.to_ascii_lowercase()))
}

/// Keys that are compared with one another.
const HANDFUL: usize = 16;

/// Reads a key's value; `None` for null, which is an absent key.
fn read_value<'a>(piece: Piece<'a>, key: &str) -> Result<Option<LineValue<'a>>, LineError> {
    let path = || format!("request.context.{key}");
    if piece.text == "null" {
        return Ok(None);
    }
    if !piece.text.starts_with('[') {
        return Ok(Some(LineValue::One(scalar(piece, path)?)));
    }
    let items = piece.items("a list", &path())?;
    let mut list = items
        .into_iter()
        .map(|item| scalar(item, path))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Some(match list.pop() {
        Some(only) if list.is_empty() => LineValue::One(only),
        last => {
            list.extend(last);
            LineValue::Several(list)
        }
    }))
}

/// Reads a text, or a number or boolean as its source text.
fn scalar<'a>(piece: Piece<'a>, path: impl Fn() -> String) -> Result<Cow<'a, str>, LineError> {
    match piece.text.as_bytes().first() {
        Some(b'"') => text(piece, &path()),
        Some(b'{' | b'[' | b'n') | None => Err(piece.error(
            "this is no value of a condition key; give a text, a number, a boolean, or a list of those",
            path(),
        )),
        Some(_) => Ok(Cow::Borrowed(piece.text)),
    }
}

/// Reads a text that must not be anything else.
pub(super) fn text<'a>(piece: Piece<'a>, path: &str) -> Result<Cow<'a, str>, LineError> {
    piece.string("a text in double quotes", path)
}

fn read_caller(piece: Piece<'_>) -> Result<Caller<'_>, LineError> {
    const PATH: &str = "request.principal";
    match piece.text.as_bytes().first() {
        Some(b'n') => return Ok(Caller::Anonymous),
        Some(b'"') => return Ok(Caller::Aws(caller_name(piece, PATH)?)),
        Some(b'{') => {}
        _ => return Err(piece.error(CALLER, PATH)),
    }
    let entries = piece.entries("an object", PATH)?;
    let [
        Entry {
            key: kind, value, ..
        },
    ] = entries.as_slice()
    else {
        return Err(piece.error(CALLER, PATH));
    };
    let path = format!("{PATH}.{kind}");
    let name = caller_name(*value, &path)?;
    match &**kind {
        "AWS" => Ok(Caller::Aws(name)),
        "Service" => Ok(Caller::Service(name)),
        "Federated" => Ok(Caller::Federated(name)),
        "CanonicalUser" => Ok(Caller::CanonicalUser(name)),
        _ => Err(piece.error(CALLER, path)),
    }
}

/// Reads the name of one caller: `*` stands for callers in a policy, and is none.
fn caller_name<'a>(piece: Piece<'a>, path: &str) -> Result<Cow<'a, str>, LineError> {
    let name = text(piece, path)?;
    if name.is_empty() || name == "*" {
        return Err(piece.error(
            format!("`{name}` names no caller; give one, or null for an anonymous one"),
            path,
        ));
    }
    Ok(name)
}

const CALLER: &str = "this is no caller; give null, an ARN, or an object with one of `AWS`, `Service`, `Federated`, `CanonicalUser`";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(request: &str) -> Result<String, LineError> {
        let read = LineRequest::read(Piece::line(request))?;
        Ok(read.with_request(|request| {
            format!(
                "{:?} {:?} {:?}",
                request.principal(),
                request.source_ip(),
                request.context()
            )
        }))
    }

    fn with(principal: &str, context: &str) -> String {
        format!(
            r#"{{"principal":{principal},"action":"a:B","resource":"arn:x","context":{context},"resourceAccount":"1"}}"#
        )
    }

    #[test]
    fn callers() {
        for (principal, expected) in [
            ("null", "Anonymous"),
            (
                r#""arn:aws:iam::1:user\/a""#,
                r#"Aws("arn:aws:iam::1:user/a")"#,
            ),
            (r#"{"AWS":"arn:x"}"#, r#"Aws("arn:x")"#),
            (r#"{"Service":"s"}"#, r#"Service("s")"#),
            (r#"{"Federated":"f"}"#, r#"Federated("f")"#),
            (r#"{"CanonicalUser":"c"}"#, r#"CanonicalUser("c")"#),
        ] {
            let read = read(&with(principal, "{}")).unwrap();
            assert_eq!(read, format!("{expected} Absent []"));
        }
        for wrong in [
            r#""*""#,
            r#""""#,
            r#"{"AWS":"*"}"#,
            r#"{"AWS":["a","b"]}"#,
            r#"{"Group":"g"}"#,
            r#"{"AWS":"a","Service":"b"}"#,
            "{}",
            "1",
        ] {
            let error = read(&with(wrong, "{}")).unwrap_err();
            assert!(error.path.starts_with("request.principal"), "{wrong}");
        }
    }

    #[test]
    fn values_keep_their_source_text() {
        let context =
            r#"{"a":1.50,"b":true,"c":null,"d":["x",2e1,false],"e":"q\u0041","f":["one"],"g":[]}"#;
        assert_eq!(
            read(&with("null", context)).unwrap(),
            r#"Anonymous Absent [("a", Text("1.50")), ("b", Text("true")), ("d", Texts(["x", "2e1", "false"])), ("e", Text("qA")), ("f", Text("one")), ("g", Texts([]))]"#
        );
        for wrong in [
            r#"{"a":{}}"#,
            r#"{"a":[[1]]}"#,
            r#"{"a":[null]}"#,
            r#"{"a":"\ud800"}"#,
        ] {
            let error = read(&with("null", wrong)).unwrap_err();
            assert_eq!(error.path, "request.context.a", "{wrong}");
        }
    }

    #[test]
    fn one_source_address_goes_to_its_field() {
        for (context, expected) in [
            (
                r#"{"aws:sourceip":"::ffff:10.0.0.1"}"#,
                "Known(10.0.0.1) []",
            ),
            (r#"{"aws:SourceIp":["10.0.0.1"]}"#, "Known(10.0.0.1) []"),
            (
                r#"{"aws:SourceIp":"unknown"}"#,
                r#"Unreadable("unknown") []"#,
            ),
            (r#"{"aws:SourceIp":""}"#, r#"Unreadable("") []"#),
            (r#"{"aws:SourceIp":null}"#, "Absent []"),
            (
                r#"{"aws:SourceIp":["1.1.1.1","2.2.2.2"]}"#,
                r#"Absent [("aws:SourceIp", Texts(["1.1.1.1", "2.2.2.2"]))]"#,
            ),
            (
                r#"{"aws:SourceIp":[]}"#,
                r#"Absent [("aws:SourceIp", Texts([]))]"#,
            ),
        ] {
            assert_eq!(
                read(&with("null", context)).unwrap(),
                format!("Anonymous {expected}")
            );
        }
    }

    #[test]
    fn a_key_given_twice_is_refused_in_any_case() {
        let many: String = (0..40).map(|n| format!(r#""x:k{n}":1,"#)).collect();
        for (context, key) in [
            (
                r#"{"aws:SourceIp":"1.1.1.1","AWS:sourceip":"2.2.2.2"}"#,
                "AWS:sourceip",
            ),
            (
                r#"{"aws:SourceIp":null,"aws:SourceIp":null}"#,
                "aws:SourceIp",
            ),
            (r#"{"a":1,"b":[],"\u0041":"x"}"#, "A"),
            (&format!(r#"{{{many}"X:K7":2}}"#), "X:K7"),
        ] {
            let request = with("null", context);
            let error = read(&request).unwrap_err();
            assert_eq!(error.path, format!("request.context.{key}"));
            let again = format!("the key `{key}` is given twice");
            assert!(error.message.starts_with(&again), "{}", error.message);
            assert!(request[error.at..].starts_with('"'), "{}", error.at);
            assert!(!request[error.at + 1..].contains(r#","b""#));
        }
        // Only ASCII letters have a case that does not count.
        let context = r#"{"ä":1,"Ä":2,"a":3,"aa":4}"#;
        assert!(read(&with("null", context)).is_ok());
    }

    #[test]
    fn unknown_fields_are_refused() {
        let request = r#"{"action":"a:B","resource":"r","context":{},"sourceIp":"10.0.0.1"}"#;
        let error = read(request).unwrap_err();
        assert_eq!(
            error.message,
            "there is no field `sourceIp` here, only `principal`, `action`, `resource`, `context`, `resourceAccount`"
        );
        assert_eq!(error.at, request.find(r#""sourceIp""#).unwrap());
        assert_eq!(error.path, "request");
    }

    #[test]
    fn what_is_missing_is_named() {
        for (request, name) in [
            (r#"{"resource":"r","context":{}}"#, "`action`"),
            (r#"{"action":"a:B","context":{}}"#, "`resource`"),
            (r#"{"action":"a:B","resource":"r"}"#, "`context`"),
            (
                r#"{"action":"a:B","resource":"r","contxt":{}}"#,
                "`context`",
            ),
        ] {
            let error = read(request).unwrap_err();
            assert!(error.message.contains(name), "{}", error.message);
        }
    }
}
