//! Wide policies: many statements that share a few resources and differ in a thing or two.
//!
//! A [`Theme`] decides once what the statements share and how far they spread: one policy has a
//! crowd of callers on one resource, another a crowd of `NotResource` lists, a third many values
//! of one key. Every statement and every request has a tape of its own, so that proptest can
//! leave out the ones that do not matter.

use serde_json::{Map, Value as Json, json};

use crate::property::generate::{Choices, World, fill, in_some_case, list, name, pattern};
use crate::property::vocabulary as words;
use crate::support::request::{Caller, OtherCaller, OwnedRequest, OwnedValue};
use portcullis::policy::{Operator, OperatorFamily};

/// What the statements of a policy have in common.
#[derive(Debug)]
pub(super) struct Theme {
    world: World,
    version: &'static str,
    /// The patterns that statements choose from.
    resources: Vec<String>,
    /// An entry that many statements list beside one of their own, so that a caller is in many lanes.
    common_entry: String,
    common_action: &'static str,
    /// All of them do.
    crowd: bool,
    /// One of so many statements has the plain element.
    plain_principal: usize,
    plain_action: usize,
    /// Of eight statements so many deny.
    denials: usize,
    /// Of eight statements so many have `NotResource`.
    not_resource: usize,
    /// Of eight, so many have conditions of this kind.
    addresses: usize,
    texts: usize,
    others: usize,
    /// What the address conditions mostly are.
    negated_addresses: bool,
    /// How many keys the texts are of, and at most how many values they have.
    keys: usize,
    most_values: usize,
    /// What the requests are aimed at.
    entries: Vec<(&'static str, String)>,
    actions: Vec<String>,
}

impl Theme {
    pub(super) fn new(choices: &mut impl Choices) -> Self {
        let kind = choices.below(8);
        let resources = [1, 2, 3, 12, 40][choices.below(5)];
        let style = choices.below(6);
        let mut theme = Self {
            world: World::default(),
            version: ["2012-10-17", "2012-10-17", "2008-10-17"][choices.below(3)],
            resources: Vec::new(),
            common_entry: aws_entry(choices),
            common_action: ["execute-api:Invoke", "s3:op1", "s3:*"][choices.below(3)],
            crowd: kind == 7,
            plain_principal: [1, 2, 20][choices.below(3)],
            plain_action: [1, 2, 20][choices.below(3)],
            denials: [4, 1, 0][choices.below(3)],
            not_resource: [0, 1, 4][choices.below(3)],
            addresses: [4, 0, 7][choices.below(3)],
            texts: [4, 0, 7][choices.below(3)],
            others: [0, 1, 3][choices.below(3)],
            negated_addresses: choices.below(2) == 1,
            keys: [1, 2, 6][choices.below(3)],
            most_values: [1, 3, 20][choices.below(3)],
            entries: Vec::new(),
            actions: Vec::new(),
        };
        // Each of the wide paths is the point of some policies, whatever else was chosen.
        match kind {
            1 | 7 => theme.plain_principal = 20,
            2 => theme.plain_action = 20,
            3 => theme.not_resource = 8,
            4 => (theme.texts, theme.keys) = (8, 1),
            5 => {
                (theme.addresses, theme.negated_addresses) = (8, true);
                (theme.texts, theme.plain_principal, theme.plain_action) = (8, 1, 1);
            }
            6 => (theme.texts, theme.most_values) = (8, 20),
            _ => {}
        }
        for _ in 0..resources {
            let pattern = resource(choices, style, theme.version);
            theme.resources.push(pattern);
        }
        theme.world.patterns.clone_from(&theme.resources);
        theme
    }

    /// Writes the document.
    pub(super) fn text(&self, statements: &[Json]) -> String {
        json!({ "Version": self.version, "Statement": statements }).to_string()
    }

    pub(super) fn statement(&mut self, choices: &mut impl Choices) -> Json {
        let mut statement = Map::new();
        let denies = choices.below(8) < self.denials;
        let effect = if denies { "Deny" } else { "Allow" };
        statement.insert("Effect".to_owned(), json!(effect));
        self.principal(choices, &mut statement);
        self.action(choices, &mut statement);
        let negated = choices.below(8) < self.not_resource;
        let most = if negated { 3 } else { 2 };
        let resources = list(choices, most, |choices| {
            json!(self.resources[choices.below(self.resources.len())])
        });
        statement.insert(name("Resource", negated), resources);
        let mut blocks: Map<String, Json> = Map::new();
        let mut add = |(operator, key, values): (String, String, Json)| {
            let block = blocks.entry(operator).or_insert_with(|| json!({}));
            let block = block.as_object_mut().unwrap();
            if !block.keys().any(|known| known.eq_ignore_ascii_case(&key)) {
                block.insert(key, values);
            }
        };
        if choices.below(8) < self.addresses {
            for _ in 0..=choices.below(2) {
                add(self.addresses(choices));
            }
        }
        if choices.below(8) < self.texts {
            for _ in 0..=choices.below(2) {
                add(self.texts(choices));
            }
        }
        if choices.below(8) < self.others {
            add(self.other(choices));
        }
        if !blocks.is_empty() {
            statement.insert("Condition".to_owned(), Json::Object(blocks));
        }
        Json::Object(statement)
    }

    fn principal(&mut self, choices: &mut impl Choices, statement: &mut Map<String, Json>) {
        if choices.below(self.plain_principal) == 0 {
            statement.insert("Principal".to_owned(), json!("*"));
            return;
        }
        let mut add = |kind: &'static str, entry: String| {
            self.entries.push((kind, entry.clone()));
            entry
        };
        let shape = if self.crowd { 2 } else { choices.below(8) };
        let negated = matches!(shape, 4 | 5);
        let mut kinds = Map::new();
        match shape {
            0 | 1 => {
                let own = add("AWS", aws_entry(choices));
                kinds.insert("AWS".to_owned(), json!(own));
            }
            2 | 3 => {
                // Distinct elements that one caller is in.
                let own = if self.crowd {
                    format!("arn:aws:iam::123456789012:user/u{}", choices.below(400))
                } else {
                    aws_entry(choices)
                };
                let own = add("AWS", own);
                let common = self.common_entry.clone();
                kinds.insert("AWS".to_owned(), json!([common, own]));
            }
            5 => {
                // All identities of a session, or all but one: what exempts from a Deny.
                let (account, n) = (choices.pick(words::ACCOUNTS), choices.below(8));
                let mut entries = vec![
                    account.to_owned(),
                    format!("arn:aws:iam::{account}:role/team/r{n}"),
                    format!("arn:aws:sts::{account}:assumed-role/r{n}/s"),
                    format!("arn:aws:iam::{account}:user/u{n}"),
                ];
                if let missing @ 0..4 = choices.below(8) {
                    entries.remove(missing);
                }
                for entry in &entries {
                    add("AWS", entry.clone());
                }
                kinds.insert("AWS".to_owned(), json!(entries));
            }
            _ => {
                for _ in 0..=choices.below(2) {
                    let kind = ["AWS", "Service", "Federated", "CanonicalUser"][choices.below(4)];
                    let entries = list(choices, 3, |choices| {
                        let entry = match kind {
                            "AWS" => aws_entry(choices),
                            _ if choices.one_in(8) => "*".to_owned(),
                            _ => format!("n{}.amazonaws.com", choices.below(12)),
                        };
                        json!(add(kind, entry))
                    });
                    kinds.insert(kind.to_owned(), entries);
                }
            }
        }
        statement.insert(name("Principal", negated), Json::Object(kinds));
    }

    fn action(&mut self, choices: &mut impl Choices, statement: &mut Map<String, Json>) {
        if choices.below(self.plain_action) == 0 {
            statement.insert("Action".to_owned(), json!("execute-api:Invoke"));
            return;
        }
        let negated = choices.one_in(5);
        let mut actions = vec![action(choices)];
        if choices.one_in(2) {
            actions.push(self.common_action.to_owned());
        }
        if choices.one_in(4) {
            actions.push(action(choices));
        }
        self.actions.extend_from_slice(&actions);
        statement.insert(name("Action", negated), json!(actions));
    }

    fn addresses(&mut self, choices: &mut impl Choices) -> (String, String, Json) {
        let other = choices.one_in(6);
        let operator = if self.negated_addresses == other {
            "IpAddress"
        } else {
            "NotIpAddress"
        };
        let operator = decorated(choices, operator);
        let key = [
            "aws:SourceIp",
            "aws:SourceIp",
            "aws:SourceIp",
            "aws:VpcSourceIp",
        ][choices.below(4)];
        (
            operator,
            in_some_case(choices, key),
            self.world.prefixes(choices, 4),
        )
    }

    fn texts(&mut self, choices: &mut impl Choices) -> (String, String, Json) {
        let operator = [
            "StringEquals",
            "StringLike",
            "StringEquals",
            "ArnEquals",
            "ArnLike",
            "StringNotEquals",
            "StringNotLike",
            "StringEqualsIgnoreCase",
            "ArnNotEquals",
            "ArnNotLike",
        ][choices.below(10)];
        let key = TEXT_KEYS[choices.below(self.keys)];
        let is_arn = operator.starts_with("Arn");
        let values = list(choices, self.most_values, |choices| {
            let value = match (choices.below(12), is_arn) {
                (10, false) => choices
                    .pick(words::policy_values(OperatorFamily::String))
                    .to_owned(),
                (11, false) => format!("v{}*", choices.below(8)),
                (9, false) => format!("É{}", choices.below(8)),
                (n, false) => format!("{}{}", ["v", "V", "w"][n % 3], choices.below(40)),
                (10 | 11, true) => choices
                    .pick(words::policy_values(OperatorFamily::Arn))
                    .to_owned(),
                (_, true) => format!("arn:aws:iam::1:role/r{}", choices.below(40)),
            };
            self.world.values.push((key.to_owned(), value.clone()));
            Json::String(value)
        });
        (
            decorated(choices, operator),
            in_some_case(choices, key),
            values,
        )
    }

    fn other(&mut self, choices: &mut impl Choices) -> (String, String, Json) {
        let operator = Operator::ALL[choices.below(Operator::ALL.len())];
        let (key, values) = self
            .world
            .condition(choices, operator.family(), Some(self.version));
        let name = match operator {
            Operator::Null => operator.as_str().to_owned(),
            _ => decorated(choices, operator.as_str()),
        };
        (name, key, values)
    }

    pub(super) fn request(&self, choices: &mut impl Choices) -> OwnedRequest {
        let mut context = Vec::new();
        let keys = TEXT_KEYS[..self.keys].iter().chain(&["aws:VpcSourceIp"]);
        for key in keys {
            if !choices.one_in(5) {
                let value = self.world.value(choices, key);
                context.push((in_some_case(choices, key), value));
            }
        }
        for key in words::KEYS.iter().filter(|key| **key != "x:s") {
            if self.others > 0 && choices.below(2) == 0 {
                let value = self.world.value(choices, key);
                context.push((in_some_case(choices, key), value));
            }
        }
        // Of two keys of one name the first counts, and the address before both.
        if choices.one_in(12) {
            let value = self.world.value(choices, TEXT_KEYS[0]);
            context.push((TEXT_KEYS[0].to_owned(), value));
        }
        if choices.one_in(12) {
            let values = (0..choices.below(4)).map(|_| self.world.address(choices));
            let values = OwnedValue::Texts(values.collect());
            context.push(("aws:SourceIP".to_owned(), values));
        }
        OwnedRequest {
            principal: self.caller(choices),
            action: self.request_action(choices),
            resource: self.world.resource(choices),
            source_ip: (!choices.one_in(10)).then(|| self.world.address(choices)),
            context,
        }
    }

    /// Makes a caller that is listed, or a session of one that is, or a stranger, or nobody.
    fn caller(&self, choices: &mut impl Choices) -> Option<Caller> {
        let shape = choices.below(8);
        if shape == 0 || (self.plain_principal == 1 && shape < 6) {
            return None;
        }
        let (kind, entry) = match self.entries.len() {
            _ if self.crowd && shape < 4 => ("AWS", self.common_entry.clone()),
            len if len > 0 && shape < 5 => {
                let (kind, entry) = &self.entries[choices.below(len)];
                (*kind, entry.clone())
            }
            _ if shape == 5 => ("AWS", self.common_entry.clone()),
            _ if shape == 6 => ("AWS", choices.pick(words::STRANGERS).to_owned()),
            _ => ("AWS", aws_entry(choices)),
        };
        Some(match kind {
            "Service" => Caller::Other(OtherCaller::Service(entry)),
            "Federated" => Caller::Other(OtherCaller::Federated(entry)),
            "CanonicalUser" => Caller::Other(OtherCaller::CanonicalUser(entry)),
            _ => Caller::Arn(identity(choices, &entry)),
        })
    }

    fn request_action(&self, choices: &mut impl Choices) -> String {
        let plain = if self.plain_action == 1 { 7 } else { 2 };
        let shape = choices.below(8);
        if shape < plain || self.actions.is_empty() {
            return "execute-api:Invoke".to_owned();
        }
        let known = choices.below(self.actions.len());
        let action = fill(choices, &self.actions[known]);
        match choices.below(6) {
            3 => action.to_ascii_uppercase(),
            4 => action.to_ascii_lowercase(),
            // Longer than what is looked up by hash.
            5 => format!("{action}{}", "x".repeat(130)),
            _ => action,
        }
    }
}

/// Keys of texts that many statements have conditions on.
const TEXT_KEYS: [&str; 6] = ["x:s", "x:k1", "x:k2", "x:k3", "x:k4", "aws:SourceIp"];

/// Adds what an operator may have around its name.
fn decorated(choices: &mut impl Choices, operator: &str) -> String {
    let qualifier = ["", "", "", "", "", "", "ForAllValues:", "ForAnyValue:"][choices.below(8)];
    let suffix = if choices.one_in(8) { "IfExists" } else { "" };
    format!("{qualifier}{operator}{suffix}")
}

/// Makes an entry under `AWS`.
fn aws_entry(choices: &mut impl Choices) -> String {
    let account = words::ACCOUNTS[usize::from(choices.one_in(4))];
    let crowd = choices.one_in(3);
    let n = choices.below(if crowd { 60 } else { 8 });
    match choices.below(12) {
        0..4 => format!("arn:aws:iam::{account}:user/u{n}"),
        // Few roles, so that their sessions meet them.
        4 => format!("arn:aws:iam::{account}:role/r{}", n % 8),
        5 | 6 => format!("arn:aws:iam::{account}:role/team/r{}", n % 8),
        7 | 8 => format!("arn:aws:sts::{account}:assumed-role/r{n}/s"),
        9 => account.to_owned(),
        10 => format!("arn:{}:iam::{account}:root", ["aws", "aws-cn"][n % 2]),
        _ if n == 0 => "*".to_owned(),
        _ => format!("arn:aws-cn:iam::{account}:user/u{n}"),
    }
}

/// Makes a caller that an entry under `AWS` names, or almost names.
fn identity(choices: &mut impl Choices, entry: &str) -> String {
    if entry == "*" {
        return "arn:aws:iam::123456789012:user/u0".to_owned();
    }
    if !entry.starts_with("arn:") {
        let n = choices.below(8);
        return match choices.below(4) {
            0 => format!("arn:aws:iam::{entry}:user/u{n}"),
            1 => format!("arn:aws:iam::{entry}:root"),
            2 => format!("arn:aws-cn:iam::{entry}:user/u{n}"),
            _ => format!("arn:aws:sts::{entry}:assumed-role/r{n}/s"),
        };
    }
    match entry.split_once(":role/") {
        Some((head, role)) if !choices.one_in(4) => {
            let head = head.replace(":iam:", ":sts:");
            let role = role.rsplit('/').next().unwrap_or_default();
            let session = choices.pick(&["s", "t", "", "s/t"]);
            format!("{head}:assumed-role/{role}/{session}")
        }
        _ => entry.to_owned(),
    }
}

/// Makes an action element's value.
fn action(choices: &mut impl Choices) -> String {
    let n = choices.below(40);
    match choices.below(12) {
        0..5 => format!("s3:op{n}"),
        5 => format!("S3:Op{n}"),
        6 => format!("s3:op{n}*"),
        7 => format!("s3:?p{n}"),
        // As long as what is looked up by hash, and longer.
        8 => format!("s3:{}", "a".repeat(120 + n / 4)),
        9 => choices.pick(words::ACTION_PATTERNS).to_owned(),
        10 => format!("s3:op{n}{}", "x".repeat(130)),
        _ => "execute-api:invoke".to_owned(),
    }
}

/// Makes a pattern of a style: of one head, of heads of one length, with rare and common literals.
fn resource(choices: &mut impl Choices, style: usize, version: &str) -> String {
    let api = words::API;
    let n = choices.below(30);
    let style = if choices.one_in(6) {
        choices.below(7)
    } else {
        style
    };
    match style {
        1 if choices.one_in(2) => format!("{api}*/GET/p{n}/*"),
        // Of one gram several: what else they hold is shorter.
        1 => format!(
            "{api}*/GET/p{}/*{}",
            n % 3,
            choices.pick(&["a", "pets", "/", "ab", "é"])
        ),
        2 => match choices.below(6) {
            0 => format!("{api}*{}", ["a", "/", "é", "日", "?b", "1*"][n % 6]),
            1 => format!("{api}*/é{n}*"),
            2 => format!("{api}*?{n}"),
            3 => format!("{api}*pets{}/*", n % 4),
            4 => format!("{api}*/pets/*/p{n}"),
            _ => format!("{api}*/{}/x", "pets".repeat(n % 5)),
        },
        3 => format!("{}id{:06}/*", api.trim_end_matches("abc/"), n * 7919),
        4 if version == "2012-10-17" => match choices.below(4) {
            0 => format!("{api}prod/GET/${{x:s}}/p{n}"),
            1 => format!("{api}*/${{x:k1}}"),
            2 => format!("{api}prod/*/${{x:gone, 'p{n}'}}"),
            _ => format!("{api}prod/GET/p{n}/${{*}}*"),
        },
        5 => format!(
            "{api}{}*",
            "prod/GET/pets/".get(..n.min(14)).unwrap_or_default()
        ),
        6 => pattern(choices),
        _ => match choices.below(6) {
            0..3 => format!("{api}prod/GET/p{n}"),
            3 => "*".to_owned(),
            4 => format!("{api}*"),
            _ => format!("*/p{n}"),
        },
    }
}
