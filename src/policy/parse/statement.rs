//! Statements: effect, action and resource, each with its negated twin.

use super::{Member, Path, Reader, flatten};
use crate::decision::Effect;
use crate::policy::error::{Quoted, nearest};
use crate::policy::json::{Json, Value};
use crate::policy::model::{Action, Located, PolicyKind, Resource, Statement};
use crate::policy::source::Span;
use crate::policy::text::Text;

/// The elements of a statement.
const STATEMENT: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

/// Returns the kind of the policy with these statements: an identity policy names no callers.
pub(super) fn kind(statements: Json<'_>) -> PolicyKind {
    let names_callers = |statement: Json<'_>| match statement.value() {
        Value::Object(mut members) => {
            members.any(|(key, _, _)| matches!(key, "Principal" | "NotPrincipal"))
        }
        _ => false,
    };
    let any = match statements.value() {
        Value::Array(mut items) => items.any(names_callers),
        _ => names_callers(statements),
    };
    if any {
        PolicyKind::Resource
    } else {
        PolicyKind::Identity
    }
}

/// The members of one statement's object.
struct Elements<'d> {
    members: Vec<Member<'d>>,
    span: Span,
}

impl<'d> Elements<'d> {
    fn get(&self, name: &str) -> Option<Member<'d>> {
        self.members
            .iter()
            .find(|member| member.key == name)
            .copied()
    }
}

impl Reader<'_> {
    pub(super) fn statements(
        &mut self,
        path: &Path<'_>,
        json: Json<'_>,
        kind: PolicyKind,
    ) -> Option<Vec<Statement>> {
        if let Value::Array(items) = json.value() {
            let count = items.count();
            if count > self.limits.statements {
                let message = format!(
                    "{count} statements, more than the limit of {}",
                    self.limits.statements
                );
                self.fault(
                    path,
                    json.span(),
                    message,
                    "split the policy, or raise the limit".to_owned(),
                );
                return None;
            }
            if count == 0 {
                let help = "write at least one statement".to_owned();
                self.fault(path, json.span(), "the list of statements is empty", help);
                return None;
            }
        }
        self.list(path, json, |reader, path, json| {
            reader.statement(path, json, kind)
        })
    }

    fn statement(
        &mut self,
        path: &Path<'_>,
        json: Json<'_>,
        kind: PolicyKind,
    ) -> Option<Statement> {
        let Value::Object(members) = json.value() else {
            let message = format!("a statement is an object, not {}", json.type_name());
            self.fault(path, json.span(), message, flatten(path, json));
            return None;
        };
        let members = self.members(path, members, &STATEMENT, "element of a statement");
        let elements = Elements {
            members,
            span: json.span(),
        };
        // Every element is read before any is missed, so that all faults are told.
        let sid = elements
            .get("Sid")
            .map(|sid| self.string(&Path::Key(path, "Sid"), sid.json));
        let effect = self.effect(path, &elements);
        let principal = self.principal(path, &elements, kind);
        let action = self
            .one_of(path, &elements, ["Action", "NotAction"])
            .and_then(|(negated, name, json)| {
                let patterns = self.list(&Path::Key(path, name), json, Self::action)?;
                Some(Action {
                    negated,
                    span: json.span(),
                    patterns,
                })
            });
        let resource = self
            .one_of(path, &elements, ["Resource", "NotResource"])
            .and_then(|(negated, name, json)| {
                let patterns = self.list(&Path::Key(path, name), json, Self::resource)?;
                Some(Resource {
                    negated,
                    span: json.span(),
                    patterns,
                })
            });
        let conditions = match elements.get("Condition") {
            Some(member) => self.conditions(&Path::Key(path, "Condition"), member.json),
            None => Some(Vec::new()),
        };
        Some(Statement {
            span: elements.span,
            sid: match sid {
                Some(sid) => Some(sid?),
                None => None,
            },
            effect: effect?,
            principal: principal?,
            action: action?,
            resource: resource?,
            conditions: conditions?,
        })
    }

    /// Returns the one of an element and its negated twin that the statement has, and whether it is the twin.
    fn one_of<'d>(
        &mut self,
        path: &Path<'_>,
        elements: &Elements<'d>,
        [plain, negated]: [&'static str; 2],
    ) -> Option<(bool, &'static str, Json<'d>)> {
        match (elements.get(plain), elements.get(negated)) {
            (Some(member), None) => Some((false, plain, member.json)),
            (None, Some(member)) => Some((true, negated, member.json)),
            (Some(member), Some(twin)) => {
                let message = format!("`{plain}` and `{negated}` stand in one statement");
                let help = "keep one of them, or make two statements".to_owned();
                self.fault(&Path::Key(path, negated), twin.span, message, help);
                // For the faults in it: a policy does not come of this any more.
                Some((false, plain, member.json))
            }
            (None, None) => {
                let message = format!("the statement has neither `{plain}` nor `{negated}`");
                self.fault(
                    path,
                    elements.span,
                    message,
                    format!("add `\"{plain}\": …`"),
                );
                None
            }
        }
    }

    fn effect(&mut self, path: &Path<'_>, elements: &Elements<'_>) -> Option<Located<Effect>> {
        let Some(Member { json, .. }) = elements.get("Effect") else {
            let help = "add `\"Effect\": \"Allow\"` or `\"Effect\": \"Deny\"`".to_owned();
            self.fault(path, elements.span, "the statement has no `Effect`", help);
            return None;
        };
        let path = &Path::Key(path, "Effect");
        let text = self.string(path, json)?;
        let effect = match &*text.value {
            "Allow" => Effect::Allow,
            "Deny" => Effect::Deny,
            other => {
                let message = format!("{} is no effect", Quoted(other));
                let help = match nearest(other, ["Allow", "Deny"]) {
                    Some(effect) => format!("write `{effect}`"),
                    None => "write `Allow` or `Deny`".to_owned(),
                };
                self.fault(path, text.span, message, help);
                return None;
            }
        };
        Some(Located::new(effect, text.span))
    }

    /// Reads `Principal` or `NotPrincipal`, which the kind of the policy demands or forbids.
    fn principal(
        &mut self,
        path: &Path<'_>,
        elements: &Elements<'_>,
        kind: PolicyKind,
    ) -> Option<Option<super::principal::PrincipalElement>> {
        let present = elements.get("Principal").or(elements.get("NotPrincipal"));
        match (kind, present) {
            (PolicyKind::Identity, None) => Some(None),
            (PolicyKind::Identity, Some(Member { key, span, .. })) => {
                let message = format!("an identity policy has no `{key}`");
                let help = "remove it, or read the document as a resource policy".to_owned();
                self.fault(&Path::Key(path, key), span, message, help);
                None
            }
            (PolicyKind::Resource, None) => {
                let message = "the statement has neither `Principal` nor `NotPrincipal`, of which a resource policy needs one";
                self.fault(
                    path,
                    elements.span,
                    message,
                    "add `\"Principal\": \"*\"` for everyone".to_owned(),
                );
                None
            }
            (PolicyKind::Resource, Some(_)) => {
                let (negated, name, json) =
                    self.one_of(path, elements, ["Principal", "NotPrincipal"])?;
                let entries = self.principal_entries(&Path::Key(path, name), json)?;
                let span = json.span();
                Some(Some(super::principal::PrincipalElement {
                    negated,
                    span,
                    entries,
                }))
            }
        }
    }

    fn action(&mut self, path: &Path<'_>, json: Json<'_>) -> Option<Located<Box<str>>> {
        let text = self.string(path, json)?;
        let action = &*text.value;
        let shaped = action.split_once(':').is_some_and(|(service, name)| {
            !service.is_empty() && !name.is_empty() && !name.contains(':')
        });
        let message = if action.is_empty() {
            "an empty text is no action".to_owned()
        } else if self.variables && action.contains("${") {
            format!(
                "{} has a policy variable, which actions do not take",
                Quoted(action)
            )
        } else if action.contains(char::is_whitespace) {
            format!("{} has white space in it", Quoted(action))
        } else if action != "*" && !shaped {
            format!("{} is no action", Quoted(action))
        } else {
            return Some(text);
        };
        let help = "write `*` or `service:Name`, such as `execute-api:Invoke`".to_owned();
        self.fault(path, text.span, message, help);
        None
    }

    /// Takes a text's policy variables apart, if the version has them.
    pub(super) fn variables_of(
        &mut self,
        path: &Path<'_>,
        text: Located<Box<str>>,
    ) -> Option<Located<Text>> {
        let Located { value, span } = text;
        if !self.variables {
            return Some(Located::new(Text::plain(value), span));
        }
        match Text::with_variables(value) {
            Ok(value) => Some(Located::new(value, span)),
            Err(fault) => {
                let message = format!("a policy variable {}", fault.what);
                let help =
                    "write `${key}` or `${key, 'default'}`; `${$}` is a plain `$`".to_owned();
                self.fault(path, span, message, help);
                None
            }
        }
    }
}
