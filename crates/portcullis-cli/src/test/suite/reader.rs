//! Tree → suite, with every fault of it.

use std::path::Path;

use portcullis::{Address, Decision};

use super::fields::Fields;
use super::{Case, Expected, Suite};
use crate::args::Kind;
use crate::failure::PolicyFault;
use crate::terminal::{self, listed, visible};
use crate::test::yaml::{COLON_HELP, Key, Node, Place, Value, fault};

/// Reads the suite of a document; `file` is the file it stands in.
pub(in crate::test) fn read(document: &Node, file: &Path) -> Result<Suite, Vec<PolicyFault>> {
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
        if let Value::Map(members) = &document.value
            && members.iter().any(|(key, _)| key.text == "Statement")
        {
            let message = "this is a policy, and no table of cases";
            let help = "name it in a file of cases as `policy: FILE`, or give it by --policy";
            self.fault("", &document.place, message, help);
            return None;
        }
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
                "cases" => cases = Some(value),
                _ => {}
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
                    let shown = shown(&text);
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
            let shown = shown(name);
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
                let shown = shown(&text);
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
                let shown = shown(other);
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
                &format!("its fields are {}", listed(known)),
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
                None => format!("the fields here are {}", listed(known)),
            };
            let shown = shown(name);
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
                let help = match node.value {
                    Value::Map(_) => COLON_HELP,
                    _ => "",
                };
                self.fault(path, &node.place, message, help);
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

/// Returns a user's text as it stands in a message.
fn shown(text: &str) -> String {
    terminal::shown(text, SHOWN)
}

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
