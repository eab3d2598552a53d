//! Tree → suites: the policies that are asked, and the cases, each one request.
//!
//! ```text
//! policy: office.json                          a suite is a YAML document; a file may hold several
//! defaults: {method: GET, path: /pets}
//! cases:
//!   - source-ip: [192.0.2.1, missing]          two source addresses and
//!     method: [GET, POST]                      two methods are four cases
//!     expect: deny
//! ```
//!
//! What a field means, and what may be left out, is what the command line of `check` says
//! of the flag of the same name: a case becomes the arguments of `check`. All faults of a
//! file are told together.

use core::fmt::Write;
use std::path::{Path, PathBuf};

use portcullis::{Address, Decision, Position, Request};

use super::yaml::{Key, Node, Place, Value, fault};
use crate::args::{ApiArgs, Format, Kind, PolicyArgs, QuestionArgs};
use crate::failure::PolicyFault;
use crate::terminal::{shortened, visible};

/// Cases about the same policies.
#[derive(Debug)]
pub(super) struct Suite {
    /// The policies, as the file names them, from the folder that the file is in.
    pub(super) policies: Vec<PathBuf>,
    /// What the policies are attached to.
    pub(super) kind: Option<Kind>,
    /// Where the suite begins.
    pub(super) place: Place,
    /// The cases, in the order of the text.
    pub(super) cases: Vec<Case>,
}

/// A request and the decision that is expected.
#[derive(Debug)]
pub(super) struct Case {
    /// Its name, if it has one.
    pub(super) name: Option<String>,
    /// Whether lists made several cases of what stands in the text once.
    pub(super) one_of_several: bool,
    /// Where it stands.
    pub(super) place: Place,
    /// Which number it has in its suite's list, from 0.
    pub(super) index: usize,
    /// What is expected.
    pub(super) expected: Expected,
    /// The request, as `check` takes it; without policies.
    pub(super) args: QuestionArgs,
}

/// What is expected of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// This decision.
    Exactly(Decision),
    /// A deny, explicit or implicit.
    Deny,
}

impl Expected {
    /// Returns whether a decision is what is expected.
    pub(super) fn accepts(self, decision: Decision) -> bool {
        match self {
            Self::Exactly(expected) => decision == expected,
            Self::Deny => !decision.is_allow(),
        }
    }

    /// Returns the words for a reader: `allow`, `explicit deny`, `implicit deny`, `deny`.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Exactly(Decision::Allow) => "allow",
            Self::Exactly(Decision::ExplicitDeny) => "explicit deny",
            Self::Exactly(Decision::ImplicitDeny) => "implicit deny",
            Self::Deny => "deny",
        }
    }

    /// Returns the spelling of JSON: `allow`, `explicit_deny`, `implicit_deny`, `deny`.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Exactly(decision) => decision.as_str(),
            Self::Deny => "deny",
        }
    }
}

impl Case {
    /// Returns what tells the case from others: its name, its request, or both.
    pub(super) fn title(&self) -> String {
        match &self.name {
            None => self.request(),
            Some(name) if self.one_of_several => format!("{name}: {}", self.request()),
            Some(name) => name.clone(),
        }
    }

    /// Returns the request in one line: `GET /pets from 203.0.113.7`.
    pub(super) fn request(&self) -> String {
        let args = &self.args;
        let mut line = String::new();
        if args.action != Request::INVOKE {
            line = format!("{} on ", args.action);
        }
        match (&args.resource, &args.method, &args.path) {
            (Some(resource), ..) => line.push_str(resource),
            (None, method, path) => {
                let part = |part: &Option<String>| part.clone().unwrap_or_default();
                line.push_str(&format!("{} {}", part(method), part(path)));
            }
        }
        // Writing to a String does not fail.
        let _ = match &args.stage {
            Some(stage) => write!(line, " in stage {stage}"),
            None => Ok(()),
        };
        let _ = match &args.source_ip {
            Some(address) => write!(line, " from {address}"),
            None => write!(line, " without a source address"),
        };
        if let Some(principal) = &args.principal {
            let _ = write!(line, " as {principal}");
        }
        for (index, entry) in args.context.iter().enumerate() {
            let link = if index == 0 { " with" } else { "," };
            let _ = write!(line, "{link} {entry}");
        }
        line
    }
}

/// Reads the suite of a document; `file` is the file it stands in.
pub(super) fn read(document: &Node, file: &Path) -> Result<Suite, Vec<PolicyFault>> {
    let mut reader = Reader { faults: Vec::new() };
    let suite = reader.suite(document, file);
    match suite {
        Some(suite) if reader.faults.is_empty() => Ok(suite),
        _ => {
            reader.faults.sort_by_key(|fault| fault.range.start);
            Err(reader.faults)
        }
    }
}

/// What a case or the defaults say of a request; `None` where they say nothing.
#[derive(Clone, Debug, Default)]
struct Fields {
    source_ip: Option<Vec<Option<String>>>,
    method: Option<Vec<String>>,
    path: Option<Vec<String>>,
    stage: Option<Vec<String>>,
    resource: Option<Vec<String>>,
    action: Option<Vec<String>>,
    principal: Option<Vec<Option<String>>>,
    /// Keys with their values; no values take a default away.
    context: Vec<(String, Vec<String>)>,
    partition: Option<String>,
    region: Option<String>,
    account: Option<String>,
    api_id: Option<String>,
}

impl Fields {
    /// Returns these fields, and those of `defaults` where there is none.
    fn or(self, defaults: &Self) -> Self {
        let mut defaults = defaults.clone();
        if self.resource.is_some() {
            defaults.method = None;
            defaults.path = None;
            defaults.stage = None;
        }
        if self.method.is_some() || self.path.is_some() || self.stage.is_some() {
            defaults.resource = None;
        }
        let mut context = defaults.context;
        context.retain(|(key, _)| {
            let same = |(own, _): &(String, Vec<String>)| own.eq_ignore_ascii_case(key);
            !self.context.iter().any(same)
        });
        context.extend(self.context);
        Self {
            source_ip: self.source_ip.or(defaults.source_ip),
            method: self.method.or(defaults.method),
            path: self.path.or(defaults.path),
            stage: self.stage.or(defaults.stage),
            resource: self.resource.or(defaults.resource),
            action: self.action.or(defaults.action),
            principal: self.principal.or(defaults.principal),
            context,
            partition: self.partition.or(defaults.partition),
            region: self.region.or(defaults.region),
            account: self.account.or(defaults.account),
            api_id: self.api_id.or(defaults.api_id),
        }
    }

    /// Returns how many requests the lists make; saturating.
    fn count(&self) -> usize {
        let length = |list: &Option<Vec<String>>| list.as_ref().map_or(1, Vec::len);
        let texts = [
            &self.method,
            &self.path,
            &self.stage,
            &self.resource,
            &self.action,
        ];
        let others = [&self.source_ip, &self.principal];
        let others = others.map(|list| list.as_ref().map_or(1, Vec::len));
        (texts.map(length).into_iter().chain(others)).fold(1, usize::saturating_mul)
    }

    /// Returns the requests that the lists make, the source address changing fastest.
    fn requests(self) -> Vec<QuestionArgs> {
        let context = (self.context.iter())
            .flat_map(|(key, values)| values.iter().map(move |value| format!("{key}={value}")))
            .collect();
        let mut requests = vec![QuestionArgs {
            policies: PolicyArgs {
                files: Vec::new(),
                kind: None,
            },
            source_ip: None,
            method: None,
            path: None,
            stage: None,
            resource: None,
            action: Request::INVOKE.to_owned(),
            principal: None,
            context,
            api: ApiArgs {
                partition: self.partition,
                region: self.region,
                account: self.account,
                api_id: self.api_id,
            },
            format: Format::Human,
        }];
        cross(&mut requests, self.principal, |args, value| {
            args.principal = value
        });
        cross(&mut requests, self.action, |args, value| {
            args.action = value
        });
        cross(&mut requests, self.stage, |args, value| {
            args.stage = Some(value)
        });
        cross(&mut requests, self.resource, |args, value| {
            args.resource = Some(value)
        });
        cross(&mut requests, self.path, |args, value| {
            args.path = Some(value)
        });
        cross(&mut requests, self.method, |args, value| {
            args.method = Some(value)
        });
        cross(&mut requests, self.source_ip, |args, value| {
            args.source_ip = value
        });
        requests
    }
}

/// Makes of every request as many as there are values.
fn cross<T: Clone>(
    requests: &mut Vec<QuestionArgs>,
    values: Option<Vec<T>>,
    set: impl Fn(&mut QuestionArgs, T),
) {
    let Some(values) = values else { return };
    let mut crossed = Vec::with_capacity(requests.len() * values.len());
    for request in requests.drain(..) {
        for value in &values {
            let mut request = request.clone();
            set(&mut request, value.clone());
            crossed.push(request);
        }
    }
    *requests = crossed;
}

/// Reads fields and collects faults.
struct Reader {
    faults: Vec<PolicyFault>,
}

impl Reader {
    fn fault(&mut self, path: &str, place: &Place, message: impl Into<String>, help: &str) {
        let help = (!help.is_empty()).then_some(help);
        self.faults.push(PolicyFault {
            path: path.to_owned(),
            ..fault(place, message, help)
        });
    }

    fn suite(&mut self, document: &Node, file: &Path) -> Option<Suite> {
        let members = self.members(document, "", &SUITE)?;
        let folder = file.parent().unwrap_or(Path::new(""));
        let mut policies = None;
        let mut kind = None;
        let mut defaults = Fields::default();
        let mut cases = None;
        for (key, value) in members {
            match key.text.as_str() {
                name @ ("policy" | "policies") => {
                    if policies.is_some() {
                        let help = "name all of them in `policies`";
                        self.fault(name, &key.place, "the policies stand here twice", help);
                    }
                    let names = self.texts(value, name).unwrap_or_default();
                    policies = Some(names.iter().map(|name| folder.join(name)).collect());
                }
                "kind" => kind = self.kind(value),
                "defaults" => {
                    if let Some(members) = self.members(value, "defaults", &REQUEST) {
                        defaults = self.fields(members, "defaults");
                    }
                }
                _ => cases = Some(value),
            }
        }
        let Some(cases) = cases else {
            let help = "write `cases:` and below it a list of requests, each with `expect`";
            self.fault("", &document.place, "there are no `cases`", help);
            return None;
        };
        Some(Suite {
            policies: policies.unwrap_or_default(),
            kind,
            place: document.place.clone(),
            cases: self.cases(cases, &defaults),
        })
    }

    fn cases(&mut self, list: &Node, defaults: &Fields) -> Vec<Case> {
        let items = match &list.value {
            Value::List(items) if !items.is_empty() => items,
            _ => {
                let message = format!("`cases` is a list of requests, not {}", list.type_name());
                let message = match list.value {
                    Value::List(_) => "`cases` is empty".to_owned(),
                    _ => message,
                };
                let help = "write `- source-ip: 203.0.113.7` and below it the other fields";
                self.fault("cases", &list.place, message, help);
                return Vec::new();
            }
        };
        let mut cases = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let left = CASES.saturating_sub(cases.len());
            if let Some(made) = self.case(item, index, defaults, left) {
                cases.extend(made);
            }
        }
        cases
    }

    fn case(
        &mut self,
        item: &Node,
        index: usize,
        defaults: &Fields,
        left: usize,
    ) -> Option<Vec<Case>> {
        let path = format!("cases[{index}]");
        let members = self.members(item, &path, &CASE)?;
        let mut name = None;
        let mut expected = None;
        let mut told = false;
        for (key, value) in members {
            match key.text.as_str() {
                "name" => name = self.text(value, &format!("{path}.name")),
                "expect" => {
                    told = true;
                    expected = self.expected(value, &format!("{path}.expect"));
                }
                _ => {}
            }
        }
        let place = first_line(item, members);
        if !told {
            let help = "write `expect: allow`, `expect: deny`, `expect: explicit deny` or `expect: implicit deny`";
            self.fault(&path, &place, "the case has no `expect`", help);
        }
        let fields = self.fields(members, &path).or(defaults);
        if fields.count() > left {
            let message = format!("the lists make more than {CASES} cases");
            self.fault(&path, &place, message, "split them into several files");
            return None;
        }
        let expected = expected?;
        let requests = fields.requests();
        let one_of_several = requests.len() > 1;
        let case = |args| Case {
            name: name.clone(),
            one_of_several,
            place: place.clone(),
            index,
            expected,
            args,
        };
        Some(requests.into_iter().map(case).collect())
    }

    /// Reads what is said of a request; `path` is where.
    fn fields(&mut self, members: &[(Key, Node)], path: &str) -> Fields {
        let mut fields = Fields::default();
        let mut called: Option<(&Key, bool)> = None;
        for (key, value) in members {
            let name = key.text.as_str();
            let path = &format!("{path}.{name}");
            if let "method" | "path" | "stage" | "resource" = name {
                let whole = name == "resource";
                if let Some((other, _)) = called.filter(|&(_, other)| other != whole) {
                    let message = format!("`{name}` stands beside `{}`", other.text);
                    let help = "give `resource` with the full ARN, or `method`, `path` and `stage`";
                    self.fault(path, &key.place, message, help);
                }
                called = called.or(Some((key, whole)));
            }
            match name {
                "source-ip" => fields.source_ip = self.addresses(value, path),
                "method" => fields.method = self.texts(value, path),
                "path" => fields.path = self.texts(value, path),
                "stage" => fields.stage = self.texts(value, path),
                "resource" => fields.resource = self.texts(value, path),
                "action" => fields.action = self.texts(value, path),
                "principal" => fields.principal = self.principals(value, path),
                "context" => fields.context = self.context(value, path),
                "api" => self.api(value, path, &mut fields),
                _ => {}
            }
        }
        fields
    }

    fn api(&mut self, node: &Node, path: &str, fields: &mut Fields) {
        for (key, value) in self.members(node, path, &API).unwrap_or_default() {
            let path = format!("{path}.{}", key.text);
            let part = self.text(value, &path);
            match key.text.as_str() {
                "partition" => fields.partition = part,
                "region" => fields.region = part,
                "account" => fields.account = part,
                _ => fields.api_id = part,
            }
        }
    }

    fn addresses(&mut self, node: &Node, path: &str) -> Option<Vec<Option<String>>> {
        let mut addresses = Vec::new();
        for item in self.items(node, path)? {
            let Some(text) = self.text(item, path) else {
                continue;
            };
            match Address::read(&text) {
                _ if text == "missing" => addresses.push(None),
                Address::Known(_) => addresses.push(Some(text)),
                _ => {
                    let block = text.split_once('/').map(|(address, _)| address);
                    let shown = visible(shortened(&text, SHOWN).as_ref()).into_owned();
                    if block
                        .is_some_and(|address| matches!(Address::read(address), Address::Known(_)))
                    {
                        let message =
                            format!("`{shown}` is a block, and a case asks about one address");
                        let help = "list addresses, such as the block's first and last and their neighbours outside";
                        self.fault(path, &item.place, message, help);
                    } else {
                        let message = format!("`{shown}` is no IP address");
                        let help = "write one without port, zone or leading zeros, such as 203.0.113.7 or 2001:db8::7, \
                                    or `missing` for a request without one";
                        self.fault(path, &item.place, message, help);
                    }
                }
            }
        }
        Some(addresses)
    }

    fn principals(&mut self, node: &Node, path: &str) -> Option<Vec<Option<String>>> {
        let texts = self.texts(node, path)?;
        let caller = |text: String| (text != "anonymous").then_some(text);
        Some(texts.into_iter().map(caller).collect())
    }

    fn context(&mut self, node: &Node, path: &str) -> Vec<(String, Vec<String>)> {
        let Value::Map(members) = &node.value else {
            let message = format!("`context` is a mapping, not {}", node.type_name());
            let help = "write each condition key with its value, such as `aws:UserAgent: curl/8.5`";
            self.fault(path, &node.place, message, help);
            return Vec::new();
        };
        let mut context: Vec<(String, Vec<String>)> = Vec::new();
        for (key, value) in members {
            let name = &key.text;
            let shown = visible(shortened(name, SHOWN).as_ref()).into_owned();
            if name.is_empty() || name.contains('=') {
                let message = format!("`{shown}` is no condition key");
                let help = "write one such as `aws:UserAgent`";
                self.fault(path, &key.place, message, help);
            }
            if let Some((other, _)) = context
                .iter()
                .find(|(other, _)| other.eq_ignore_ascii_case(name))
            {
                let message = format!(
                    "`{shown}` is `{}`: case does not count in condition keys",
                    visible(other)
                );
                self.fault(path, &key.place, message, "keep one of the two");
            }
            let values = match &value.value {
                Value::Null => Vec::new(),
                Value::Text(text) => vec![text.clone()],
                _ => self
                    .texts(value, &format!("{path}.{shown}"))
                    .unwrap_or_default(),
            };
            context.push((name.clone(), values));
        }
        context
    }

    fn expected(&mut self, node: &Node, path: &str) -> Option<Expected> {
        let text = self.text(node, path)?;
        let expected = match text.as_str() {
            "allow" => Expected::Exactly(Decision::Allow),
            "explicit deny" | "explicit_deny" => Expected::Exactly(Decision::ExplicitDeny),
            "implicit deny" | "implicit_deny" => Expected::Exactly(Decision::ImplicitDeny),
            "deny" => Expected::Deny,
            _ => {
                let shown = visible(shortened(&text, SHOWN).as_ref()).into_owned();
                let help = "write `allow`, `explicit deny`, `implicit deny`, or `deny` for either of the two";
                self.fault(path, &node.place, format!("`{shown}` is no decision"), help);
                return None;
            }
        };
        Some(expected)
    }

    fn kind(&mut self, node: &Node) -> Option<Kind> {
        match self.text(node, "kind")?.as_str() {
            "resource" => Some(Kind::Resource),
            "identity" => Some(Kind::Identity),
            other => {
                let shown = visible(shortened(other, SHOWN).as_ref()).into_owned();
                let message = format!("`{shown}` is no kind of policy");
                self.fault(
                    "kind",
                    &node.place,
                    message,
                    "write `resource` or `identity`",
                );
                None
            }
        }
    }

    /// Returns the members of a mapping, of which all must be `known`.
    fn members<'n>(
        &mut self,
        node: &'n Node,
        path: &str,
        known: &[&str],
    ) -> Option<&'n [(Key, Node)]> {
        let Value::Map(members) = &node.value else {
            let what = if path.is_empty() {
                "a file of cases"
            } else {
                path
            };
            let message = format!("{what} is a mapping, not {}", node.type_name());
            self.fault(
                path,
                &node.place,
                message,
                &format!("its fields are {}", quoted(known)),
            );
            return None;
        };
        for (key, _) in members {
            let name = key.text.as_str();
            if known.contains(&name) {
                continue;
            }
            let help = match nearest(name, known) {
                Some(near) => format!("is `{near}` meant?"),
                None => format!("the fields here are {}", quoted(known)),
            };
            let shown = visible(shortened(name, SHOWN).as_ref()).into_owned();
            self.fault(
                path,
                &key.place,
                format!("there is no field `{shown}`"),
                &help,
            );
        }
        Some(members)
    }

    /// Reads one text or a list of some.
    fn texts(&mut self, node: &Node, path: &str) -> Option<Vec<String>> {
        let items = self.items(node, path)?;
        Some(
            items
                .iter()
                .filter_map(|item| self.text(item, path))
                .collect(),
        )
    }

    /// Returns the values of a list that is not empty, or a value alone.
    fn items<'n>(&mut self, node: &'n Node, path: &str) -> Option<&'n [Node]> {
        match &node.value {
            Value::List(items) if items.is_empty() => {
                self.fault(
                    path,
                    &node.place,
                    "the list is empty",
                    "leave the field out, or list a value",
                );
                None
            }
            Value::List(items) => Some(items),
            _ => Some(core::slice::from_ref(node)),
        }
    }

    fn text(&mut self, node: &Node, path: &str) -> Option<String> {
        match &node.value {
            Value::Text(text) if !text.is_empty() => return Some(text.clone()),
            Value::Text(_) => self.fault(
                path,
                &node.place,
                "the text is empty",
                "leave the field out, or fill it in",
            ),
            Value::Null => {
                let help = "leave the field out for its default; `source-ip: missing` and `principal: anonymous` \
                            stand for none";
                self.fault(path, &node.place, "the value is missing", help);
            }
            Value::List(_) | Value::Map(_) => {
                let message = format!("the value is a text, not {}", node.type_name());
                self.fault(path, &node.place, message, "");
            }
        }
        None
    }
}

/// Returns the place of a case: its first key, since mappings have no sign of their own.
fn first_line(item: &Node, members: &[(Key, Node)]) -> Place {
    members
        .first()
        .map_or_else(|| item.place.clone(), |(key, _)| key.place.clone())
}

/// Returns the known name that `written` is most likely meant to be.
fn nearest<'k>(written: &str, known: &[&'k str]) -> Option<&'k str> {
    let lower: String = written.chars().take(SHOWN).collect();
    let lower = lower.to_ascii_lowercase().replace('_', "-");
    let distance = |name: &str| strsim::damerau_levenshtein(&lower, name);
    let near = known.iter().min_by_key(|name| distance(name))?;
    let meant = match lower.as_str() {
        "sourceip" | "ip" | "address" | "source" | "aws:sourceip" => "source-ip",
        "decision" | "expected" | "outcome" => "expect",
        "arn" => "resource",
        "api-id" => "id",
        _ if distance(near) <= 2.min(near.len() / 2) => near,
        _ => return None,
    };
    known.iter().copied().find(|name| *name == meant)
}

fn quoted(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// Returns a fault of a case that only its policies could tell.
pub(super) fn fault_of(case: &Case, message: &str, help: Option<&str>) -> PolicyFault {
    PolicyFault {
        path: format!("cases[{}]", case.index),
        ..fault(
            &case.place,
            in_fields(message),
            help.map(in_fields).as_deref(),
        )
    }
}

/// Says in the words of a file what is said in those of the command line.
pub(super) fn in_fields(message: &str) -> String {
    let mut said = message.to_owned();
    for (flag, field) in FLAGS {
        said = said.replace(flag, field);
    }
    said
}

/// Returns the line of a place.
pub(super) const fn line(place: &Place) -> u32 {
    let Position { line, .. } = place.position;
    line
}

/// The flags of `check` and the fields that stand for them.
const FLAGS: [(&str, &str); 13] = [
    ("--source-ip", "`source-ip`"),
    ("--method", "`method`"),
    ("--path", "`path`"),
    ("--stage", "`stage`"),
    ("--resource", "`resource`"),
    ("--action", "`action`"),
    ("--principal", "`principal`"),
    ("--context", "`context`"),
    ("--partition", "`api.partition`"),
    ("--region", "`api.region`"),
    ("--account", "`api.account`"),
    ("--api-id", "`api.id`"),
    ("--kind", "`kind`"),
];

/// The fields of a document.
const SUITE: [&str; 5] = ["policy", "policies", "kind", "defaults", "cases"];
/// The fields of a request, which the defaults have too.
const REQUEST: [&str; 9] = [
    "source-ip",
    "method",
    "path",
    "stage",
    "resource",
    "action",
    "principal",
    "context",
    "api",
];
/// The fields of a case.
const CASE: [&str; 11] = [
    "name",
    "expect",
    "source-ip",
    "method",
    "path",
    "stage",
    "resource",
    "action",
    "principal",
    "context",
    "api",
];
/// The parts of an API.
const API: [&str; 4] = ["partition", "region", "account", "id"];
/// Cases that one document may make.
const CASES: usize = 200_000;
/// Characters of a user's text in a message.
const SHOWN: usize = 80;

#[cfg(test)]
mod tests;
