//! Statements: effect, action and resource, each with its negated twin.

use super::{Known, Member, Path, Reader, STATEMENT, flatten};
use crate::decision::Effect;
use crate::policy::error::Quoted;
use crate::policy::json::{Items, Json, Value};
use crate::policy::model::{
    Action, Condition, Located, PolicyKind, PrincipalElement, Resource, Statement,
};
use crate::policy::names::nearest;
use crate::policy::source::Span;
use crate::policy::text::Text;
use crate::util::beside::both;

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

/// From this many bytes on a list of statements is read by halves.
const HALVES_FROM: u32 = 128 << 10;

/// The members of one statement's object.
struct Elements<'d> {
    known: Known<'d>,
    span: Span,
}

impl<'d> Elements<'d> {
    fn get(&self, name: &str) -> Option<Member<'d>> {
        let mut members = self.known.members.iter();
        members.find(|member| member.key == name).copied()
    }

    /// Returns whether none of these names was nearly written, so that one of them is missing.
    fn misses(&self, names: &[&str]) -> bool {
        !names.iter().any(|name| self.known.near.contains(name))
    }
}

/// What was read under each name first: `Some(None)` after a fault.
#[derive(Default)]
struct Slots {
    sid: Option<Option<Located<Box<str>>>>,
    effect: Option<Option<Located<Effect>>>,
    principal: Option<Option<PrincipalElement>>,
    action: Option<Option<Action>>,
    resource: Option<Option<Resource>>,
    conditions: Option<Option<Vec<Condition>>>,
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
            if let Some(statements) = self.halves(json.span(), items, count, kind) {
                return Some(statements);
            }
        }
        self.list(path, json, |reader, path, json| {
            reader.statement(path, json, kind)
        })
    }

    /// Reads long lists of statements by halves, one beside the other.
    ///
    /// `None` of short lists, of those that are mostly one statement, and where there is a fault, of
    /// which nothing is told: the list is to be read in order, so that faults are told, and counted,
    /// in order.
    fn halves(
        &self,
        span: Span,
        items: Items<'_>,
        count: usize,
        kind: PolicyKind,
    ) -> Option<Vec<Statement>> {
        let length = span.end - span.start;
        if length < HALVES_FROM {
            return None;
        }
        let middle = span.start + length / 2;
        let mut starts = { items }.map(|item| item.span().start).enumerate();
        let (first, start) = starts.find(|&(_, start)| start >= middle)?;
        if start - middle > length / 4 {
            return None;
        }
        let read = |from: usize, len: usize, room: usize| {
            let mut reader = Reader {
                faults: Vec::new(),
                ..*self
            };
            let mut statements = Vec::with_capacity(room);
            for item in { items }.skip(from).take(len) {
                let statement = reader.statement(&Path::Root, item, kind);
                match statement.filter(|_| reader.faults.is_empty()) {
                    Some(statement) => statements.push(statement),
                    None => return Err(()),
                }
            }
            Ok(statements)
        };
        let of_first = || read(0, first, count);
        let of_second = || read(first, count - first, count - first);
        let (mut statements, second) = both(true, of_first, of_second).ok()?;
        statements.extend(second);
        Some(statements)
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
        let elements = Elements {
            known: self.members(path, members, &STATEMENT, "element of a statement"),
            span: json.span(),
        };
        let read = self.elements(path, &elements.known.members);
        if read.effect.is_none() && elements.misses(&["Effect"]) {
            let help = "add `\"Effect\": \"Allow\"` or `\"Effect\": \"Deny\"`".to_owned();
            self.fault(path, elements.span, "the statement has no `Effect`", help);
        }
        let callers = self.callers(path, &elements, kind);
        self.one_of(path, &elements, ["Action", "NotAction"]);
        self.one_of(path, &elements, ["Resource", "NotResource"]);
        // Whatever was told above, a policy does not come of this any more.
        Some(Statement {
            span: elements.span,
            sid: match read.sid {
                Some(sid) => Some(sid?),
                None => None,
            },
            effect: read.effect.flatten()?,
            principal: match callers {
                true => Some(read.principal.flatten()?),
                false => None,
            },
            action: read.action.flatten()?,
            resource: read.resource.flatten()?,
            conditions: match read.conditions {
                Some(conditions) => conditions?,
                None => Vec::new(),
            },
        })
    }

    /// Reads every element for its faults, also one that stands twice or beside its negated
    /// twin; the first counts.
    fn elements(&mut self, path: &Path<'_>, members: &[Member<'_>]) -> Slots {
        let mut slots = Slots::default();
        for &Member { key, json, .. } in members {
            let path = &Path::Key(path, key);
            let (negated, span) = (key.starts_with("Not"), json.span());
            match key {
                "Sid" => drop(slots.sid.get_or_insert(self.string(path, json))),
                "Effect" => drop(slots.effect.get_or_insert(self.effect(path, json))),
                "Principal" | "NotPrincipal" => {
                    let entries = self.principal_entries(path, json);
                    slots
                        .principal
                        .get_or_insert(entries.map(|entries| PrincipalElement {
                            negated,
                            span,
                            entries,
                        }));
                }
                "Action" | "NotAction" => {
                    let patterns = self.list(path, json, Self::action);
                    slots.action.get_or_insert(patterns.map(|patterns| Action {
                        negated,
                        span,
                        patterns,
                    }));
                }
                "Resource" | "NotResource" => {
                    let patterns = self.list(path, json, Self::resource);
                    slots
                        .resource
                        .get_or_insert(patterns.map(|patterns| Resource {
                            negated,
                            span,
                            patterns,
                        }));
                }
                _ => drop(slots.conditions.get_or_insert(self.conditions(path, json))),
            }
        }
        slots
    }

    /// Tells that a statement has both an element and its negated twin, or neither.
    fn one_of(
        &mut self,
        path: &Path<'_>,
        elements: &Elements<'_>,
        [plain, negated]: [&'static str; 2],
    ) {
        match (elements.get(plain), elements.get(negated)) {
            (Some(_), Some(twin)) => {
                let message = format!("`{plain}` and `{negated}` stand in one statement");
                let help = "keep one of them, or make two statements".to_owned();
                self.fault(&Path::Key(path, negated), twin.span, message, help);
            }
            (None, None) if elements.misses(&[plain, negated]) => {
                let message = format!("the statement has neither `{plain}` nor `{negated}`");
                let help = format!("add `\"{plain}\": …`");
                self.fault(path, elements.span, message, help);
            }
            _ => {}
        }
    }

    fn effect(&mut self, path: &Path<'_>, json: Json<'_>) -> Option<Located<Effect>> {
        let effect = match self.text(path, json)? {
            "Allow" => Effect::Allow,
            "Deny" => Effect::Deny,
            other => {
                let message = format!("{} is no effect", Quoted(other));
                let help = match nearest(other, ["Allow", "Deny"]) {
                    Some(effect) => format!("write `{effect}`"),
                    None => "write `Allow` or `Deny`".to_owned(),
                };
                self.fault(path, json.span(), message, help);
                return None;
            }
        };
        Some(Located::new(effect, json.span()))
    }

    /// Tells of `Principal` or `NotPrincipal` where the kind of the policy forbids or demands
    /// it, and returns whether it is demanded.
    fn callers(&mut self, path: &Path<'_>, elements: &Elements<'_>, kind: PolicyKind) -> bool {
        let names = ["Principal", "NotPrincipal"];
        let mut present = names
            .iter()
            .filter_map(|name| elements.get(name))
            .peekable();
        match kind {
            PolicyKind::Identity => {
                for Member { key, span, .. } in present {
                    let message = format!("an identity policy has no `{key}`");
                    let help = "remove it, or read the document as a resource policy".to_owned();
                    self.fault(&Path::Key(path, key), span, message, help);
                }
            }
            PolicyKind::Resource if present.peek().is_some() => {
                self.one_of(path, elements, names);
            }
            PolicyKind::Resource if elements.misses(&names) => {
                let message = "the statement has neither `Principal` nor `NotPrincipal`, of which a resource policy needs one";
                let help = "add `\"Principal\": \"*\"` for everyone".to_owned();
                self.fault(path, elements.span, message, help);
            }
            PolicyKind::Resource => {}
        }
        kind == PolicyKind::Resource
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
