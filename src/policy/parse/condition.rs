//! The `Condition` block: operators, keys, and values of the operator's type.

use std::borrow::Cow;

use super::{FEW, Path, Reader, cidr, flatten, is_blank};
use crate::policy::error::Quoted;
use crate::policy::json::{Json, Value};
use crate::policy::model::{Condition, Located, Values};
use crate::policy::names::nearest;
use crate::policy::operator::{ConditionOperator, Operator, OperatorFamily, Qualifier};
use crate::policy::text::Text;
use crate::policy::value::{Number, is_base64, read_date};
use crate::util::keyed::Map;

impl Reader<'_> {
    pub(super) fn conditions(&mut self, path: &Path<'_>, json: Json<'_>) -> Option<Vec<Condition>> {
        let Value::Object(operators) = json.value() else {
            let message = format!("a condition block is an object, not {}", json.type_name());
            let help = "write `{\"IpAddress\": {\"aws:SourceIp\": […]}}`".to_owned();
            self.fault(path, json.span(), message, help);
            return None;
        };
        let before = self.faults.len() + self.suppressed;
        let operators = self.distinct(path, operators);
        // Nearly all operators have one key.
        let mut conditions = Vec::with_capacity(operators.len());
        for (name, span, block, _) in operators {
            let path = Path::Key(path, name);
            let operator = ConditionOperator::from_name(name);
            if operator.is_none() && !self.suppress() {
                let message = format!("{} is no condition operator", Quoted(name));
                self.fault(&path, span, message, near_operator(name));
            }
            let operator = operator.map(|operator| Located::new(operator, span));
            self.block(&path, operator, block, &mut conditions);
        }
        (before == self.faults.len() + self.suppressed).then_some(conditions)
    }

    /// Reads the keys and values under one operator; under an unknown one values of any type.
    fn block(
        &mut self,
        path: &Path<'_>,
        operator: Option<Located<ConditionOperator>>,
        json: Json<'_>,
        conditions: &mut Vec<Condition>,
    ) {
        let Value::Object(keys) = json.value() else {
            let message = format!(
                "the keys of an operator are an object, not {}",
                json.type_name()
            );
            self.fault(
                path,
                json.span(),
                message,
                "write `{\"aws:SourceIp\": […]}`".to_owned(),
            );
            return;
        };
        if keys.is_empty() {
            let help = "remove the operator, or compare a key".to_owned();
            self.fault(path, json.span(), "the operator's block is empty", help);
        }
        let keys = self.distinct(path, keys);
        // By their keys in lower case, where they are many.
        let mut folded = (keys.len() > FEW).then(Map::default);
        for (at, &(key, span, values, again)) in keys.iter().enumerate() {
            let path = Path::Key(path, key);
            if let Some((what, help)) = key_fault(key) {
                self.fault(&path, span, what, help);
            }
            let earlier = if let Some(folded) = &mut folded {
                folded.insert(key.to_ascii_lowercase(), key)
            } else {
                let before = keys.iter().take(at).map(|&(key, ..)| key);
                before.rev().find(|before| before.eq_ignore_ascii_case(key))
            };
            if let Some(earlier) = earlier.filter(|_| !again) {
                let message = format!(
                    "{} is the key {} in other case",
                    Quoted(key),
                    Quoted(earlier)
                );
                self.fault(
                    &path,
                    span,
                    message,
                    "join their values under one key".to_owned(),
                );
            }
            let Some(operator) = operator else {
                self.list(&path, values, Self::any_value);
                continue;
            };
            let of = operator.value.operator;
            let values = match of.family() {
                OperatorFamily::Ip => self.list(&path, values, Self::prefix).map(Values::Prefixes),
                _ => self
                    .list(&path, values, |reader, path, json| {
                        reader.condition_value(path, of, json)
                    })
                    .map(Values::Texts),
            };
            if let Some(values) = values {
                let key = Located::new(key.into(), span);
                conditions.push(Condition {
                    operator,
                    key,
                    values,
                });
            }
        }
    }

    fn prefix(&mut self, path: &Path<'_>, json: Json<'_>) -> Option<Located<ipnet::IpNet>> {
        let Value::String(text) = json.value() else {
            let message = format!("an address is a string, not {}", json.type_name());
            let help =
                flatten(path, json).unwrap_or_else(|| "write `\"203.0.113.0/24\"`".to_owned());
            self.fault(path, json.span(), message, help);
            return None;
        };
        match cidr::read(text) {
            Ok(prefix) => Some(Located::new(prefix, json.span())),
            Err(fault) => {
                self.fault(path, json.span(), fault.message, fault.help);
                None
            }
        }
    }

    fn condition_value(
        &mut self,
        path: &Path<'_>,
        operator: Operator,
        json: Json<'_>,
    ) -> Option<Located<Text>> {
        let written = self.scalar(path, json)?;
        let text = &*written.value;
        if self.variables && text.contains("${") {
            if operator.takes_variables() {
                let text = self.variables_of(path, written)?;
                if operator == Operator::Bool && !text.value.has_variables() {
                    let message = format!("{} can never be a boolean", Quoted(text.value.raw()));
                    let help = "write `true` or `false`".to_owned();
                    self.fault(path, json.span(), message, help);
                    return None;
                }
                return Some(text);
            }
            let message = format!(
                "{} has a policy variable, which `{}` does not take",
                Quoted(text),
                operator.as_str()
            );
            let help = "string, ARN and `Bool` operators take variables".to_owned();
            self.fault(path, json.span(), message, help);
            return None;
        }
        let expected = match operator.family() {
            OperatorFamily::Numeric if Number::read(text).is_none() => {
                "a number, such as `10` or `-0.5`"
            }
            OperatorFamily::Date if read_date(text).is_none() => {
                "a date, such as `2026-01-31T12:00:00Z`, or seconds since 1970"
            }
            OperatorFamily::Bool | OperatorFamily::Null if !matches!(text, "true" | "false") => {
                "`true` or `false`"
            }
            OperatorFamily::Binary if !is_base64(text) => "base64 with its padding, such as `YQ==`",
            _ => return Some(Located::new(Text::plain(written.value), written.span)),
        };
        let message = format!("{} is no value for `{}`", Quoted(text), operator.as_str());
        self.fault(path, json.span(), message, format!("write {expected}"));
        None
    }
}

impl Reader<'_> {
    /// Reads a value of whatever type: the text of a string, number or boolean.
    fn scalar(&mut self, path: &Path<'_>, json: Json<'_>) -> Option<Located<Box<str>>> {
        match json.value() {
            Value::String(text) | Value::Number(text) | Value::Bool(text) => {
                Some(Located::new(text.into(), json.span()))
            }
            Value::Null | Value::Array(_) | Value::Object(_) => {
                let message = format!(
                    "a condition value is a text, a number or a boolean, not {}",
                    json.type_name()
                );
                self.fault(path, json.span(), message, flatten(path, json));
                None
            }
        }
    }

    /// Reads a value whose type cannot be told: no operator takes what is wrong with it.
    fn any_value(&mut self, path: &Path<'_>, json: Json<'_>) -> Option<()> {
        let text = self.scalar(path, json)?;
        self.variables_of(path, text).map(drop)
    }
}

/// Returns what is wrong with a condition key, and the remedy.
///
/// A key without a colon is taken: which prefixes there are is for each service to say.
fn key_fault(key: &str) -> Option<(String, String)> {
    if key.is_empty() {
        let what = "an empty text is no condition key".to_owned();
        return Some((what, SUCH_A_KEY.to_owned()));
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b':';
    let unspaced = match key.bytes().all(is_plain) {
        true => Cow::Borrowed(key),
        false => Cow::Owned(without_blanks(key)),
    };
    let what = match key.split_once(':') {
        _ if unspaced != key => "has white space or a control character in it",
        Some(("", _)) => "has nothing before its colon",
        Some((_, "")) => "has nothing behind its colon",
        Some((_, name)) if name.starts_with(':') || name.ends_with(':') => "has a colon too many",
        _ => return None,
    };
    let meant = unspaced.trim_matches(':').replace("::", ":");
    let help = if meant.contains(':') {
        format!("write {}", Quoted(&meant))
    } else {
        SUCH_A_KEY.to_owned()
    };
    Some((format!("the condition key {} {what}", Quoted(key)), help))
}

const SUCH_A_KEY: &str = "write one such as `aws:SourceIp`";

/// Returns a key without the white space and control characters that no key has.
///
/// The name of a tag may have white space inside: `aws:PrincipalTag/Cost Center`.
fn without_blanks(key: &str) -> String {
    let name = key.find(':').unwrap_or(key.len());
    let tag = key.get(name..).and_then(|rest| rest.find('/'));
    let (name, tag) = key.split_at(tag.map_or(key.len(), |tag| name + tag + 1));
    let mut kept = name.replace(is_blank, "");
    kept.push_str(&tag.trim_matches(is_blank).replace(char::is_control, ""));
    kept
}

/// Returns what an unknown operator was perhaps meant to be.
fn near_operator(name: &str) -> Option<String> {
    let (qualifier, rest) = match name.split_once(':') {
        Some((qualifier, rest)) => (Some(qualifier), rest),
        None => (None, name),
    };
    let lower = rest.to_ascii_lowercase();
    let (base, suffix) = match lower.strip_suffix("ifexists") {
        Some(base) => (base, "IfExists"),
        None => (lower.as_str(), ""),
    };
    if base == "null" && !suffix.is_empty() {
        return Some("`Null` asks whether the key exists and takes no `IfExists`".to_owned());
    }
    // The opposite of what was meant is no remedy.
    let negated = base.contains("not");
    let names = Operator::ALL.iter().map(|operator| operator.as_str());
    let operator = nearest(base, names.filter(|name| name.contains("Not") == negated))?;
    let prefix = match qualifier {
        Some(qualifier) => format!(
            "{}:",
            nearest(qualifier, Qualifier::ALL.iter().map(|q| q.as_str()))?
        ),
        None => String::new(),
    };
    Some(format!("did you mean `{prefix}{operator}{suffix}`?"))
}
