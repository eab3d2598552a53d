//! Random policies, and requests that come near them.
//!
//! The generator asks a source of [`Choices`] for small numbers, in each of which 0 is the plainest
//! choice. Two sources stand behind it: a [`Tape`] of numbers, which proptest makes and shrinks (a
//! shorter tape, with smaller numbers, is a simpler question), and [`SplitMix64`] for speed.
//!
//! A request is made from what the policies hold: an address at the edge of one of their prefixes
//! or just beside it, a resource that one of their patterns matches or almost does, a value of one
//! of their conditions.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use portcullis::policy::{Operator, OperatorFamily, PolicyKind};
use serde_json::{Map, Value as Json, json};

use super::vocabulary as words;
use crate::support::request::{Caller, OtherCaller, OwnedRequest, OwnedValue};

/// Where the generator's numbers come from.
pub(super) trait Choices {
    /// Returns the next number; any number is fine.
    fn next(&mut self) -> u64;

    /// Returns a number below `limit`, which is not 0.
    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }

    /// Returns true once in `n` times; not on a tape's zeros.
    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }

    fn pick<'w, T: ?Sized>(&mut self, words: &[&'w T]) -> &'w T {
        words[self.below(words.len())]
    }
}

/// Choices written down; behind the end all are 0.
#[derive(Debug)]
pub(super) struct Tape<'t> {
    numbers: &'t [u16],
    at: usize,
}

impl<'t> Tape<'t> {
    pub(super) const fn new(numbers: &'t [u16]) -> Self {
        Self { numbers, at: 0 }
    }
}

impl Choices for Tape<'_> {
    fn next(&mut self) -> u64 {
        let number = self.numbers.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        u64::from(number)
    }
}

/// A fast generator with a seed of 64 bits.
#[derive(Debug)]
pub(super) struct SplitMix64(pub(super) u64);

impl Choices for SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // The low bits decide most choices, and the high ones are the better mixed.
        (mixed ^ (mixed >> 31)) >> 8
    }
}

/// A document whose statements can still be moved about.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) kind: PolicyKind,
    pub(super) version: Option<&'static str>,
    pub(super) statements: Vec<Json>,
}

impl Draft {
    /// Returns the text of the document.
    pub(super) fn text(&self) -> String {
        let mut document = json!({ "Statement": self.statements });
        if let Some(version) = self.version {
            document["Version"] = json!(version);
        }
        document.to_string()
    }
}

/// Documents, and requests to ask about them.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) drafts: Vec<Draft>,
    pub(super) requests: Vec<OwnedRequest>,
}

/// Makes up to three documents and `requests` requests near them.
pub(super) fn question(choices: &mut impl Choices, requests: usize) -> Question {
    let mut world = World::default();
    let drafts = (0..=choices.below(3))
        .map(|_| world.draft(choices))
        .collect();
    let requests = (0..requests).map(|_| world.request(choices)).collect();
    Question { drafts, requests }
}

/// Makes one more statement for a document, with the given effect.
pub(super) fn statement(choices: &mut impl Choices, draft: &Draft, effect: &str) -> Json {
    World::default().statement(choices, draft.kind, draft.version, effect)
}

/// Makes the values of one condition, and requests near them.
pub(super) fn condition(
    choices: &mut impl Choices,
    operator: Operator,
    requests: usize,
) -> (String, Json, Vec<OwnedRequest>) {
    let mut world = World::default();
    let (key, values) = world.condition(choices, operator.family(), Some("2012-10-17"));
    let requests = (0..requests).map(|_| world.request(choices)).collect();
    (key, values, requests)
}

/// What the documents hold that a request may come near.
#[derive(Debug, Default)]
pub(super) struct World {
    prefixes: Vec<(IpAddr, u8)>,
    pub(super) patterns: Vec<String>,
    /// Keys, lower case, with a value some condition has for them.
    pub(super) values: Vec<(String, String)>,
}

impl World {
    fn draft(&mut self, choices: &mut impl Choices) -> Draft {
        let kind = if choices.one_in(4) {
            PolicyKind::Identity
        } else {
            PolicyKind::Resource
        };
        let version = [Some("2012-10-17"), None, Some("2008-10-17")][choices.below(3)];
        let most = if choices.one_in(12) { 40 } else { 5 };
        let mut statements: Vec<Json> = (0..=choices.below(most))
            .map(|_| {
                let effect = ["Allow", "Deny"][choices.below(2)];
                self.statement(choices, kind, version, effect)
            })
            .collect();
        // Most allow lists and block lists stand beside one of these.
        if choices.one_in(4) {
            let mut all = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
            if kind == PolicyKind::Resource {
                all["Principal"] = json!("*");
            }
            statements.push(all);
        }
        Draft {
            kind,
            version,
            statements,
        }
    }

    fn statement(
        &mut self,
        choices: &mut impl Choices,
        kind: PolicyKind,
        version: Option<&str>,
        effect: &str,
    ) -> Json {
        let mut statement = Map::new();
        statement.insert("Effect".to_owned(), json!(effect));
        if choices.one_in(4) {
            statement.insert("Sid".to_owned(), json!(choices.pick(&["S", "", "a name"])));
        }
        if kind == PolicyKind::Resource {
            let negated = choices.one_in(6);
            statement.insert(name("Principal", negated), principal(choices));
        }
        let negated = choices.one_in(6);
        let actions = list(choices, 2, |choices| {
            json!(choices.pick(words::ACTION_PATTERNS))
        });
        statement.insert(name("Action", negated), actions);
        let negated = choices.one_in(6);
        let resources = list(choices, 3, |choices| {
            let pattern = pattern(choices);
            self.patterns.push(pattern.clone());
            json!(pattern)
        });
        statement.insert(name("Resource", negated), resources);
        let mut blocks: Map<String, Json> = Map::new();
        for _ in 0..choices.below(3) {
            let operator = operator(choices);
            let Some(family) = Operator::from_name(base_name(&operator)).map(Operator::family)
            else {
                panic!("`{operator}` is no operator");
            };
            let (key, values) = self.condition(choices, family, version);
            let block = blocks
                .entry(operator)
                .or_insert_with(|| json!({}))
                .as_object_mut()
                .unwrap();
            if !block.keys().any(|known| known.eq_ignore_ascii_case(&key)) {
                block.insert(key, values);
            }
        }
        if !blocks.is_empty() || choices.one_in(16) {
            statement.insert("Condition".to_owned(), Json::Object(blocks));
        }
        Json::Object(statement)
    }

    /// Makes a key and values for an operator of this family.
    pub(super) fn condition(
        &mut self,
        choices: &mut impl Choices,
        family: OperatorFamily,
        version: Option<&str>,
    ) -> (String, Json) {
        let key = match (choices.below(6), family) {
            (4, _) => choices.pick(words::KEYS),
            (5, _) | (3, OperatorFamily::Ip) => choices.pick(words::ADDRESS_KEYS),
            _ => words::usual_key(family),
        };
        let values = if family == OperatorFamily::Ip {
            let most = if choices.one_in(12) { 60 } else { 4 };
            self.prefixes(choices, most)
        } else {
            list(choices, 3, |choices| {
                let mut value = choices.pick(words::policy_values(family)).to_owned();
                if family == OperatorFamily::Bool
                    && version == Some("2012-10-17")
                    && choices.one_in(6)
                {
                    value = "${x:b}".to_owned();
                }
                self.values.push((key.to_ascii_lowercase(), value.clone()));
                // Numbers and booleans may go without quotes, where that keeps their text.
                let unquoted = match value.parse::<Json>() {
                    Ok(scalar) if scalar.is_boolean() || scalar.is_i64() => Some(scalar),
                    _ => None,
                };
                match unquoted {
                    Some(scalar) if choices.one_in(3) => scalar,
                    _ => Json::String(value),
                }
            })
        };
        (in_some_case(choices, key), values)
    }

    /// Makes a list of up to `most` prefixes.
    pub(super) fn prefixes(&mut self, choices: &mut impl Choices, most: usize) -> Json {
        list(choices, most, |choices| {
            let prefix = self.prefix(choices);
            self.prefixes.push(prefix);
            json!(spell_prefix(choices, prefix))
        })
    }

    /// Makes a prefix, often one beside, around or inside an earlier one; host bits may be set.
    fn prefix(&self, choices: &mut impl Choices) -> (IpAddr, u8) {
        if !self.prefixes.is_empty() && choices.one_in(2) {
            let (address, length) = self.prefixes[choices.below(self.prefixes.len())];
            let width = width(address);
            return match choices.below(5) {
                0 => (address, length),
                1 => (address, length.saturating_sub(1)),
                2 => (address, (length + 1).min(width)),
                3 if length > 0 => (flip(address, length - 1), length),
                _ => (flip(address, width - 1), length),
            };
        }
        let length = u8::try_from(choices.below(129)).unwrap();
        let any_length = choices.one_in(4);
        if choices.one_in(3) {
            let address: Ipv6Addr = choices.pick(words::V6).parse().unwrap();
            let usual = words::V6_LENGTHS[choices.below(words::V6_LENGTHS.len())];
            (IpAddr::V6(address), if any_length { length } else { usual })
        } else {
            let address: Ipv4Addr = choices.pick(words::V4).parse().unwrap();
            let usual = words::V4_LENGTHS[choices.below(words::V4_LENGTHS.len())];
            (
                IpAddr::V4(address),
                if any_length { length % 33 } else { usual },
            )
        }
    }

    fn request(&self, choices: &mut impl Choices) -> OwnedRequest {
        let mut context = Vec::new();
        for key in words::KEYS.iter().chain(&words::ADDRESS_KEYS[1..]) {
            if choices.below(3) > 0 {
                let value = self.value(choices, key);
                context.push((in_some_case(choices, key), value));
            }
        }
        // Of two keys of one name the first counts, and the address before both.
        if choices.one_in(12) {
            let value = self.value(choices, "x:s");
            context.push(("X:s".to_owned(), value));
        }
        if choices.one_in(12) {
            let value = self.value(choices, "aws:SourceIp");
            context.push(("aws:sourceip".to_owned(), value));
        }
        OwnedRequest {
            principal: caller(choices),
            action: choices.pick(words::ACTIONS).to_owned(),
            resource: self.resource(choices),
            source_ip: (!choices.one_in(8)).then(|| self.address(choices)),
            context,
        }
    }

    /// Makes a value for a key: one, several or none.
    pub(super) fn value(&self, choices: &mut impl Choices, key: &str) -> OwnedValue {
        match choices.below(12) {
            9 => OwnedValue::Text(String::new()),
            10 => OwnedValue::Texts(
                (0..choices.below(2))
                    .map(|_| self.text(choices, key))
                    .collect(),
            ),
            11 => OwnedValue::Texts(
                (0..=choices.below(3))
                    .map(|_| self.text(choices, key))
                    .collect(),
            ),
            _ => OwnedValue::Text(self.text(choices, key)),
        }
    }

    fn text(&self, choices: &mut impl Choices, key: &str) -> String {
        if words::ADDRESS_KEYS.contains(&key) && !choices.one_in(6) {
            return self.address(choices);
        }
        let known: Vec<&str> = self
            .values
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(key))
            .map(|(_, value)| value.as_str())
            .collect();
        if !known.is_empty() && !choices.one_in(4) {
            let value = choices.pick(&known);
            return if choices.one_in(3) {
                value.to_owned()
            } else {
                fill(choices, value)
            };
        }
        choices.pick(words::REQUEST_VALUES).to_owned()
    }

    /// Makes the text of an address at or just outside an edge of a known prefix.
    pub(super) fn address(&self, choices: &mut impl Choices) -> String {
        if choices.one_in(12) {
            return choices.pick(words::UNREADABLE).to_owned();
        }
        let (address, length) = match self.prefixes.len() {
            0 => self.prefix(choices),
            len => self.prefixes[choices.below(len)],
        };
        let bits = to_bits(address);
        let host = host_mask(address, length);
        let (first, last) = (bits & !host, bits | host);
        let chosen = match choices.below(6) {
            0 => first,
            1 => last,
            2 => first.wrapping_sub(1),
            3 => last.wrapping_add(1),
            4 => bits,
            _ => {
                first | (u128::from(choices.next()).wrapping_mul(0x0001_0001_0001_0001_0001) & host)
            }
        };
        match from_bits(address, chosen) {
            IpAddr::V4(v4) if choices.one_in(6) => format!("::ffff:{v4}"),
            IpAddr::V6(v6) if choices.one_in(6) => v6.to_string().to_uppercase(),
            ip => ip.to_string(),
        }
    }

    /// Makes a resource that some pattern matches, or one small change away from that.
    pub(super) fn resource(&self, choices: &mut impl Choices) -> String {
        let pattern = match self.patterns.len() {
            len if len > 0 && !choices.one_in(5) => self.patterns[choices.below(len)].clone(),
            _ => pattern(choices),
        };
        let mut resource = fill(choices, &pattern);
        if choices.one_in(3) {
            let at = choices.below(resource.chars().count() + 1);
            let at = resource
                .char_indices()
                .nth(at)
                .map_or(resource.len(), |(index, _)| index);
            match choices.below(4) {
                0 => resource.truncate(at),
                1 => resource.insert(at, '/'),
                2 => resource.insert(at, 'a'),
                _ if at < resource.len() => {
                    resource.remove(at);
                }
                _ => resource.push(':'),
            }
        }
        resource
    }
}

/// Returns the element's name, negated or not.
pub(super) fn name(element: &str, negated: bool) -> String {
    format!("{}{element}", if negated { "Not" } else { "" })
}

/// Makes a list of up to `most` values; one value is mostly a scalar.
pub(super) fn list<C: Choices>(
    choices: &mut C,
    most: usize,
    mut make: impl FnMut(&mut C) -> Json,
) -> Json {
    let mut values: Vec<Json> = (0..=choices.below(most)).map(|_| make(choices)).collect();
    if values.len() == 1 && !choices.one_in(3) {
        return values.remove(0);
    }
    Json::Array(values)
}

fn principal(choices: &mut impl Choices) -> Json {
    if choices.below(2) == 0 {
        return json!("*");
    }
    let mut kinds = Map::new();
    for _ in 0..=choices.below(2) {
        let kind = ["AWS", "AWS", "Service", "Federated", "CanonicalUser"][choices.below(5)];
        let entries = list(choices, 4, |choices| {
            json!(match (kind, choices.below(6)) {
                (_, 5) => "*",
                ("AWS", 4) => choices.pick(words::ACCOUNTS),
                ("AWS", _) => choices.pick(words::IDENTITIES),
                _ => choices.pick(words::NAMES),
            })
        });
        kinds.insert(kind.to_owned(), entries);
    }
    Json::Object(kinds)
}

fn caller(choices: &mut impl Choices) -> Option<Caller> {
    match choices.below(8) {
        0 | 1 => None,
        5 => Some(Caller::Arn(choices.pick(words::STRANGERS).to_owned())),
        6 | 7 => {
            let name = choices.pick(words::NAMES).to_owned();
            Some(Caller::Other(match choices.below(3) {
                0 => OtherCaller::Service(name),
                1 => OtherCaller::Federated(name),
                _ => OtherCaller::CanonicalUser(name),
            }))
        }
        _ => Some(Caller::Arn(choices.pick(words::IDENTITIES).to_owned())),
    }
}

/// Makes a resource pattern; variables stand behind the fifth colon, where they may.
pub(super) fn pattern(choices: &mut impl Choices) -> String {
    match choices.below(8) {
        5 => choices.pick(words::PATTERNS).to_owned(),
        6 => {
            let text: String = (0..choices.below(8) + 1)
                .map(|_| choices.pick(&["*", "?", "a", "b", "/", ":"]))
                .collect();
            // Other beginnings are no resource.
            if text.starts_with(['*', '?']) {
                text
            } else {
                format!("arn:{text}")
            }
        }
        _ => {
            let head = if choices.one_in(4) {
                choices.pick(words::HEADS)
            } else {
                words::API
            };
            let stage = choices.pick(words::STAGES);
            let method = choices.pick(words::METHODS);
            let segments: Vec<&str> = (0..=choices.below(3))
                .map(|_| match choices.below(6) {
                    5 if head == words::API => choices.pick(words::VARIABLE_SEGMENTS),
                    _ => choices.pick(words::SEGMENTS),
                })
                .collect();
            format!("{head}{stage}/{method}/{}", segments.join("/"))
        }
    }
}

/// Makes the name of an operator, half of the time one of addresses.
fn operator(choices: &mut impl Choices) -> String {
    let operator = match choices.below(6) {
        0 | 1 => Operator::IpAddress,
        2 => Operator::NotIpAddress,
        _ => Operator::ALL[choices.below(Operator::ALL.len())],
    };
    let qualifier = ["", "", "", "", "ForAllValues:", "ForAnyValue:"][choices.below(6)];
    let suffix = if operator != Operator::Null && choices.one_in(5) {
        "IfExists"
    } else {
        ""
    };
    format!("{qualifier}{}{suffix}", operator.as_str())
}

/// Returns an operator's name without qualifier and suffix.
fn base_name(operator: &str) -> &str {
    let name = operator.split_once(':').map_or(operator, |(_, name)| name);
    name.strip_suffix("IfExists").unwrap_or(name)
}

pub(super) fn in_some_case(choices: &mut impl Choices, key: &str) -> String {
    match choices.below(6) {
        4 => key.to_ascii_lowercase(),
        5 => key.to_ascii_uppercase(),
        _ => key.to_owned(),
    }
}

/// Replaces wildcards and variables with something they may stand for.
pub(super) fn fill(choices: &mut impl Choices, pattern: &str) -> String {
    let mut filled = String::new();
    let mut rest = pattern;
    while let Some(character) = rest.chars().next() {
        if rest.starts_with("${") && !choices.one_in(6) {
            filled.push_str(choices.pick(words::SUBSTITUTES));
            rest = rest.split_once('}').map_or("", |(_, tail)| tail);
            continue;
        }
        match character {
            '*' => filled.push_str(choices.pick(words::RUNS)),
            '?' => filled.push_str(choices.pick(words::CHARACTERS)),
            other => filled.push(other),
        }
        rest = &rest[character.len_utf8()..];
    }
    filled
}

/// Writes a prefix in one of its spellings.
fn spell_prefix(choices: &mut impl Choices, (address, length): (IpAddr, u8)) -> String {
    match address {
        IpAddr::V4(v4) => match choices.below(6) {
            4 => format!("::ffff:{v4}/{}", 96 + length),
            5 if length == 32 => v4.to_string(),
            _ => format!("{v4}/{length}"),
        },
        // An IPv4-mapped address has no prefix length below 96.
        IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => format!("{v6}/{}", length.max(96)),
        IpAddr::V6(v6) => match choices.below(6) {
            4 => format!("{}/{length}", v6.to_string().to_uppercase()),
            5 if length == 128 => v6.to_string(),
            _ => format!("{v6}/{length}"),
        },
    }
}

const fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn to_bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// Returns an address of the same family as `like`; what does not fit is cut off.
fn from_bits(like: IpAddr, bits: u128) -> IpAddr {
    match like {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(
            u32::try_from(bits & 0xffff_ffff).unwrap(),
        )),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(bits)),
    }
}

/// Returns the bits behind a prefix of this length.
fn host_mask(address: IpAddr, length: u8) -> u128 {
    let host = u32::from(width(address) - length);
    u128::MAX.checked_shr(128 - host).unwrap_or(0)
}

/// Flips the bit at this place, counted from the left.
fn flip(address: IpAddr, bit: u8) -> IpAddr {
    from_bits(
        address,
        to_bits(address) ^ (1 << (width(address) - 1 - bit)),
    )
}
