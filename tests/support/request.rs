//! A request as test data has it: owned, readable from TOML and JSON, printable as a line for `eval`.

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// A request; the library's `Request` is lent from it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct OwnedRequest {
    /// The caller; `None` is an anonymous one.
    pub(crate) principal: Option<Caller>,
    #[serde(default = "invoke")]
    pub(crate) action: String,
    pub(crate) resource: String,
    /// The text of `aws:SourceIp`; `None` where the key is absent.
    pub(crate) source_ip: Option<String>,
    /// Further condition keys, in order.
    #[serde(default, deserialize_with = "in_order")]
    pub(crate) context: Vec<(String, OwnedValue)>,
}

/// The action of a call, for requests that name none.
pub(crate) fn invoke() -> String {
    "execute-api:Invoke".to_owned()
}

/// Who calls: an ARN, or a table of one key that names the kind.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub(crate) enum Caller {
    Arn(String),
    Other(OtherCaller),
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum OtherCaller {
    Service(String),
    Federated(String),
    CanonicalUser(String),
}

/// The value of a condition key: one text, or a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum OwnedValue {
    Text(String),
    Texts(Vec<String>),
}

impl<'de> Deserialize<'de> for OwnedValue {
    /// Reads a text, a list of texts, or a number or boolean as its text.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fn scalar<E: serde::de::Error>(value: Json) -> Result<String, E> {
            match value {
                Json::String(text) => Ok(text),
                Json::Bool(flag) => Ok(flag.to_string()),
                Json::Number(number) => Ok(number.to_string()),
                other => Err(E::custom(format!("`{other}` is no condition value"))),
            }
        }
        match Json::deserialize(deserializer)? {
            Json::Array(list) => list
                .into_iter()
                .map(scalar)
                .collect::<Result<_, _>>()
                .map(Self::Texts),
            other => scalar(other).map(Self::Text),
        }
    }
}

/// Reads a table into a list, so that keys that differ only in case stay apart and in order.
pub(crate) fn in_order<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<(String, OwnedValue)>, D::Error> {
    struct Entries;
    impl<'de> Visitor<'de> for Entries {
        type Value = Vec<(String, OwnedValue)>;
        fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            f.write_str("a table of condition keys")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut entries = Vec::new();
            while let Some(entry) = map.next_entry()? {
                entries.push(entry);
            }
            Ok(entries)
        }
    }
    deserializer.deserialize_map(Entries)
}

/// A document as `eval` takes it.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    /// `resource` or `identity`.
    pub(crate) kind: &'static str,
    /// JSON text.
    pub(crate) text: String,
}

/// Writes the question as a line of input of `portcullis eval`.
///
/// The documents go in as they stand (line feeds, which JSON has only between tokens, become
/// spaces), so that spellings the data is about are not lost; what is no JSON goes in as a string.
pub(crate) fn eval_line(id: &str, documents: &[Document], request: &OwnedRequest) -> String {
    let quoted = |text: &str| Json::from(text).to_string();
    let documents: Vec<String> = documents
        .iter()
        .map(|document| {
            let text = match serde_json::from_str::<IgnoredAny>(&document.text) {
                Ok(_) => document.text.replace(['\n', '\r'], " "),
                Err(_) => quoted(&document.text),
            };
            format!(r#"{{"kind":"{}","document":{text}}}"#, document.kind)
        })
        .collect();
    let source_ip = request.source_ip.clone().map(OwnedValue::Text);
    let context: Vec<String> = source_ip
        .iter()
        .map(|address| ("aws:SourceIp", address))
        .chain(
            request
                .context
                .iter()
                .map(|(key, value)| (key.as_str(), value)),
        )
        .map(|(key, value)| format!("{}:{}", quoted(key), serde_json::to_string(value).unwrap()))
        .collect();
    format!(
        r#"{{"id":{},"policies":[{}],"request":{{"principal":{},"action":{},"resource":{},"context":{{{}}}}}}}"#,
        quoted(id),
        documents.join(","),
        serde_json::to_string(&request.principal).unwrap(),
        quoted(&request.action),
        quoted(&request.resource),
        context.join(","),
    )
}
