//! Policies and requests for the benches: made from a seed, shaped like real ones.
//!
//! - Prefix lengths follow the global routing tables (mostly /24 and /20 to /23 for IPv4,
//!   /48 and /32 for IPv6).
//! - A statement has two resource patterns of one API and ten CIDRs; every fourth is a Deny.
//! - Resources are ARNs of 84 bytes; half of the requests are made to match a statement.
//! - The shapes beside that are those in which statements differ elsewhere than in the API.

#![expect(
    clippy::indexing_slicing,
    reason = "indices are taken modulo the length"
)]

use core::fmt::Write;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use portcullis::{Address, Decision, Principal, Request, Value};

/// `SplitMix64`: small, fast, and the same everywhere.
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// A prefix of the shape of a routing table's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prefix {
    pub(crate) address: IpAddr,
    pub(crate) length: u8,
}

impl Prefix {
    pub(crate) fn random(rng: &mut Rng, v6: bool) -> Self {
        if v6 {
            let length = match rng.below(100) {
                0..48 => 48,
                48..60 => 32,
                60..70 => 44,
                70..80 => 40,
                80..88 => 36,
                88..94 => 29,
                94..98 => 64,
                _ => 128,
            };
            let top = [0x2001, 0x2400, 0x2600, 0x2800, 0x2a00, 0x2c00][rng.below(6) as usize];
            let bits = (top + u128::from(rng.below(16))) << 112 | u128::from(rng.next()) << 48;
            let bits = bits & (u128::MAX << (128 - u32::from(length)));
            Self {
                address: Ipv6Addr::from_bits(bits).into(),
                length,
            }
        } else {
            let length = match rng.below(100) {
                0..60 => 24,
                60..70 => 22,
                70..80 => 23,
                80..85 => 21,
                85..91 => 20,
                91..95 => 19,
                95..97 => 16,
                97..99 => 32,
                _ => 12,
            };
            let bits = (1 + rng.below(222) as u32) << 24 | (rng.next() as u32 & 0x00ff_ffff);
            let bits = bits & (u32::MAX << (32 - u32::from(length)));
            Self {
                address: Ipv4Addr::from_bits(bits).into(),
                length,
            }
        }
    }

    /// A random address of the prefix.
    pub(crate) fn host(self, rng: &mut Rng) -> IpAddr {
        match self.address {
            IpAddr::V4(ip) => {
                let mask = u32::MAX.checked_shr(u32::from(self.length)).unwrap_or(0);
                Ipv4Addr::from_bits(ip.to_bits() | (rng.next() as u32 & mask)).into()
            }
            IpAddr::V6(ip) => {
                let mask = u128::MAX.checked_shr(u32::from(self.length)).unwrap_or(0);
                let random = u128::from(rng.next()) << 64 | u128::from(rng.next());
                Ipv6Addr::from_bits(ip.to_bits() | (random & mask)).into()
            }
        }
    }
}

/// A policy as text, and what is needed to ask about it.
#[derive(Debug)]
pub(crate) struct Workload {
    pub(crate) json: String,
    pub(crate) questions: Vec<Question>,
}

/// What a request is made of.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) source_ip: IpAddr,
    pub(crate) resource: String,
    /// The ARN of the caller, if known.
    pub(crate) principal: Option<String>,
    /// What the caller does, if that is not to invoke.
    pub(crate) action: Option<String>,
    /// The value of `aws:SourceVpce`.
    pub(crate) context: Option<&'static [(&'static str, Value<'static>)]>,
}

impl Question {
    fn new(source_ip: IpAddr, resource: String) -> Self {
        Self {
            source_ip,
            resource,
            principal: None,
            action: None,
            context: None,
        }
    }

    pub(crate) fn request(&self) -> Request<'_> {
        let principal = self.principal.as_deref();
        Request::invoke(Address::Known(self.source_ip), &self.resource)
            .with_action(self.action.as_deref().unwrap_or(Request::INVOKE))
            .with_principal(principal.map_or(Principal::Anonymous, Principal::Aws))
            .with_context(self.context.unwrap_or_default())
    }
}

const HEAD: &str = "arn:aws:execute-api:eu-central-1:123456789012:";

fn api(statement: u64) -> String {
    format!("a{statement:09x}")
}

/// The bytes of an ARN.
const ARN: usize = 84;

fn arn(statement: u64, method: &str, path: u64) -> String {
    let start = format!("{HEAD}{}/prod/{method}/pets/{path:x}/", api(statement));
    // No more than that, so that many of them lie as near one another as can be.
    let mut arn = String::with_capacity(ARN);
    write!(arn, "{start:x<ARN$}").unwrap();
    arn
}

/// `statements` statements of two patterns and ten CIDRs each; every 50th prefix is IPv6.
pub(crate) fn statements(statements: u64, questions: usize) -> Workload {
    let mut rng = Rng::new(statements);
    let mut json = String::from(r#"{"Version":"2012-10-17","Statement":["#);
    let mut prefixes = Vec::new();
    for statement in 0..statements {
        let effect = if statement % 4 == 3 { "Deny" } else { "Allow" };
        let api = api(statement);
        let comma = if statement == 0 { "" } else { "," };
        write!(
            json,
            r#"{comma}{{"Sid":"s{statement}","Effect":"{effect}","Principal":"*","Action":"execute-api:Invoke","Resource":["{HEAD}{api}/*/GET/pets/*","{HEAD}{api}/prod/POST/pets/*"],"Condition":{{"IpAddress":{{"aws:SourceIp":["#
        )
        .unwrap();
        for at in 0..10 {
            let v6 = rng.below(50) == 0;
            let prefix = Prefix::random(&mut rng, v6);
            let comma = if at == 0 { "" } else { "," };
            write!(json, r#"{comma}"{}/{}""#, prefix.address, prefix.length).unwrap();
            prefixes.push(prefix);
        }
        json.push_str("]}}}");
    }
    json.push_str("]}");
    let questions = (0..questions)
        .map(|at| {
            let statement = rng.below(statements);
            let method = if rng.below(2) == 0 { "GET" } else { "POST" };
            let listed = prefixes[(statement * 10 + rng.below(10)) as usize];
            let source_ip = match at % 2 {
                0 => listed.host(&mut rng),
                _ => Prefix::random(&mut rng, false).host(&mut rng),
            };
            Question::new(source_ip, arn(statement, method, rng.below(0xffff)))
        })
        .collect();
    Workload { json, questions }
}

/// An Allow for everyone and a Deny for `prefixes` prefixes: a block list.
pub(crate) fn block_list(prefixes: u64, v6: bool, questions: usize) -> Workload {
    let mut rng = Rng::new(prefixes);
    let mut json = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"{HEAD}*"}},{{"Effect":"Deny","Principal":"*","Action":"execute-api:Invoke","Resource":"{HEAD}*","Condition":{{"IpAddress":{{"aws:SourceIp":["#
    );
    let mut listed = Vec::new();
    for at in 0..prefixes {
        let prefix = Prefix::random(&mut rng, v6);
        let comma = if at == 0 { "" } else { "," };
        write!(json, "{comma}\n\"{}/{}\"", prefix.address, prefix.length).unwrap();
        listed.push(prefix);
    }
    json.push_str("]}}}]}");
    let questions = (0..questions)
        .map(|at| {
            let prefix = match at % 2 {
                0 => listed[rng.below(prefixes) as usize],
                _ => Prefix::random(&mut rng, v6),
            };
            let source_ip = prefix.host(&mut rng);
            Question::new(source_ip, arn(rng.below(1000), "GET", at as u64))
        })
        .collect();
    Workload { json, questions }
}

/// Everything open, `statements` times over: the worst a matcher can be given.
pub(crate) fn all_open(statements: u64, questions: usize) -> Workload {
    let mut workload = self::statements(1, questions);
    let statement = r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}}"#;
    let list = vec![statement; statements as usize].join(",");
    workload.json = format!(r#"{{"Version":"2012-10-17","Statement":[{list}]}}"#);
    workload
}

/// In what the statements of a [`shape`] differ, beside their CIDRs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// The path, behind a `*`, of one API.
    Path,
    /// The API, behind stars for region and account.
    Api,
    /// Something in the middle of anything.
    Middle,
    /// The caller.
    Principal,
    /// The action.
    Action,
    /// The only resource that a Deny is not for.
    NotResource,
    /// The VPC endpoint that another condition asks for.
    Condition,
    /// Nothing: one statement with as many VPC endpoints.
    Values,
}

impl Shape {
    pub(crate) const ALL: [Self; 8] = [
        Self::Path,
        Self::Api,
        Self::Middle,
        Self::Principal,
        Self::Action,
        Self::NotResource,
        Self::Condition,
        Self::Values,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Api => "api",
            Self::Middle => "middle",
            Self::Principal => "principal",
            Self::Action => "action",
            Self::NotResource => "not_resource",
            Self::Condition => "condition",
            Self::Values => "values",
        }
    }
}

/// `statements` statements that differ in one thing; each has one CIDR, a /16 of 10.0.0.0/8 but for
/// the statement's own /24, and half of the requests match one of them.
pub(crate) fn shape(shape: Shape, statements: u64, questions: usize) -> Workload {
    let mut rng = Rng::new(statements);
    let all = format!("{HEAD}api/*");
    let vpce = |i: u64| format!("vpce-{i:08x}");
    let mut list = Vec::new();
    for i in 0..if matches!(shape, Shape::Values) {
        1
    } else {
        statements
    } {
        let (mut effect, mut element, mut resource) = ("Allow", "Resource", all.clone());
        let (mut action, mut principal) = (Request::INVOKE.to_owned(), r#""*""#.to_owned());
        let mut condition = String::new();
        match shape {
            Shape::Path => resource = format!("{HEAD}api/*/GET/p{i}/*"),
            Shape::Api => resource = format!("arn:aws:execute-api:*:*:api{i}/*"),
            Shape::Middle => resource = format!("*/mid{i}*"),
            Shape::Principal => {
                principal = format!(r#"{{"AWS":"arn:aws:iam::123456789012:user/u{i}"}}"#);
            }
            Shape::Action => action = format!("execute-api:Act{i}"),
            Shape::NotResource => {
                (effect, element) = ("Deny", "NotResource");
                resource = format!("{HEAD}api/prod/GET/p{i}/*");
            }
            Shape::Condition => {
                condition = format!(r#","StringEquals":{{"aws:SourceVpce":"{}"}}"#, vpce(i));
            }
            Shape::Values => {
                let values: Vec<String> = (0..statements).map(vpce).collect();
                condition = format!(r#","StringEquals":{{"aws:SourceVpce":{values:?}}}"#);
            }
        }
        let cidr = match shape {
            // Distinct lists, so that nothing is decided by there being one set of addresses only.
            Shape::NotResource => format!("192.{}.{}.0/24", i / 256 % 256, i % 256),
            _ => format!("10.{}.{}.0/24", i / 256 % 256, i % 256),
        };
        list.push(format!(
            r#"{{"Effect":"{effect}","Principal":{principal},"Action":"{action}","{element}":"{resource}","Condition":{{"IpAddress":{{"aws:SourceIp":"{cidr}"}}{condition}}}}}"#
        ));
    }
    if matches!(shape, Shape::NotResource) {
        list.push(format!(
            r#"{{"Effect":"Allow","Principal":"*","Action":"*","Resource":"{all}"}}"#
        ));
    }
    let json = format!(
        r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
        list.join(",")
    );
    let questions = (0..questions)
        .map(|at| {
            let i = rng.below(statements);
            let own = Ipv4Addr::from_bits(0x0a00_0000 | (i as u32 & 0xffff) << 8 | 7);
            let other = Ipv4Addr::from_bits(0x0b00_0000 | rng.next() as u32 & 0xffff);
            let source_ip = match shape {
                Shape::NotResource => Ipv4Addr::from_bits(0xc000_0000 | own.to_bits() & 0xffffff),
                Shape::Values => Ipv4Addr::new(10, 0, 0, 9),
                _ => own,
            };
            let source_ip = if at % 2 == 0 { source_ip } else { other };
            let resource = match shape {
                Shape::Path => format!("{HEAD}api/prod/GET/p{i}/"),
                Shape::Api => {
                    format!("arn:aws:execute-api:eu-central-1:123456789012:api{i}/prod/GET/")
                }
                Shape::Middle => format!("{HEAD}api/prod/GET/mid{i}/"),
                // Half of the requests that match an address are for the resource that is spared.
                Shape::NotResource if at % 4 == 0 => format!("{HEAD}api/prod/GET/p{i}/"),
                _ => format!("{HEAD}api/prod/GET/pets/"),
            };
            let mut question = Question::new(source_ip.into(), format!("{resource:x<84}"));
            match shape {
                Shape::Principal => {
                    question.principal = Some(format!("arn:aws:iam::123456789012:user/u{i}"));
                }
                Shape::Action => question.action = Some(format!("execute-api:Act{i}")),
                Shape::Condition | Shape::Values => {
                    let value = Value::Text(vpce(i).leak());
                    question.context = Some(Box::leak(Box::new([("aws:SourceVpce", value)])));
                }
                _ => {}
            }
            question
        })
        .collect();
    Workload { json, questions }
}

/// The start of the resources of one API and stage of [`statements`].
pub(crate) fn stage(statement: u64) -> String {
    format!("{HEAD}{}/prod/", api(statement))
}

/// How many of the answers are allow, explicit deny and implicit deny.
pub(crate) fn count(decisions: impl IntoIterator<Item = Decision>) -> [usize; 3] {
    let mut counts = [0; 3];
    for decision in decisions {
        counts[match decision {
            Decision::Allow => 0,
            Decision::ExplicitDeny => 1,
            Decision::ImplicitDeny => 2,
        }] += 1;
    }
    counts
}
