//! Bytes → policies and requests that are near each other.
//!
//! Small vocabularies, so that a policy's patterns, prefixes and values are met by the
//! requests; documents are valid but for what the parser alone can tell, and such are
//! skipped.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use arbitrary::{Result, Unstructured};
use portcullis::policy::{ConditionOperator, Operator, OperatorFamily, Qualifier};
use portcullis::{
    Address, Config, Engine, Explanation, Policy, Principal, Request, Strategy, Value, reference,
};
use serde_json::{Map, Value as Json, json};

/// A request that owns its parts.
#[derive(Debug)]
pub struct Question {
    pub principal: Caller,
    pub action: &'static str,
    pub resource: String,
    pub source_ip: SourceIp,
    pub context: Vec<(&'static str, Vec<String>)>,
}

/// Who calls.
#[derive(Clone, Copy, Debug)]
pub enum Caller {
    Anonymous,
    Aws(&'static str),
    Service(&'static str),
}

/// The source address.
#[derive(Clone, Copy, Debug)]
pub enum SourceIp {
    Absent,
    Known(IpAddr),
    Unreadable,
}

impl Question {
    /// Calls `ask` with the request.
    pub fn with<R>(&self, ask: impl FnOnce(&Request<'_>) -> R) -> R {
        let lists: Vec<Vec<&str>> = self
            .context
            .iter()
            .map(|(_, values)| values.iter().map(String::as_str).collect())
            .collect();
        let context: Vec<(&str, Value<'_>)> = self
            .context
            .iter()
            .zip(&lists)
            .map(|((key, _), list)| match list[..] {
                [one] => (*key, Value::Text(one)),
                _ => (*key, Value::Texts(list)),
            })
            .collect();
        let address = match self.source_ip {
            SourceIp::Absent => Address::Absent,
            SourceIp::Known(ip) => Address::Known(ip),
            SourceIp::Unreadable => Address::Unreadable("unknown"),
        };
        let principal = match self.principal {
            Caller::Anonymous => Principal::Anonymous,
            Caller::Aws(arn) => Principal::Aws(arn),
            Caller::Service(name) => Principal::Service(name),
        };
        let request = Request::invoke(address, &self.resource)
            .with_action(self.action)
            .with_principal(principal)
            .with_context(&context);
        ask(&request)
    }
}

/// Builds the policies every way there is, each saved and loaded as well.
pub fn engines(policies: &[Policy]) -> Vec<Engine> {
    let configs = [
        Config::default(),
        Config::default().with_strategy(Strategy::Lists),
        Config::default().with_cell_budget(3),
    ];
    let build = |config| {
        let builder = policies
            .iter()
            .cloned()
            .fold(Engine::builder(), |builder, policy| builder.policy(policy));
        builder.config(config).build()
    };
    configs
        .into_iter()
        .filter_map(|config| build(config).ok())
        .flat_map(|engine| {
            let loaded = Engine::from_image(engine.image()).expect("an image loads");
            [engine, loaded]
        })
        .collect()
}

/// Asserts that every engine answers as the reference does.
pub fn compare(policies: &[Policy], engines: &[Engine], question: &Question) -> Explanation {
    question.with(|request| {
        let expected = reference::explain(policies, request);
        assert_eq!(reference::decide(policies, request), expected.decision);
        for engine in engines {
            for engine in [engine, &engine.with_least_instructions()] {
                assert_eq!(
                    engine.decide(request),
                    expected.decision,
                    "{}: {question:?}\n{}",
                    engine.instructions(),
                    policies[0]
                );
            }
            assert_eq!(
                engine.explain(request),
                expected,
                "{question:?}\n{}",
                policies[0]
            );
        }
        expected
    })
}

const ARN: &str = "arn:aws:execute-api:us-east-1:123456789012:";
const CALLERS: &[&str] = &[
    "arn:aws:iam::123456789012:user/alice",
    "arn:aws:iam::123456789012:root",
    "arn:aws:iam::123456789012:role/path/dev",
    "arn:aws:sts::123456789012:assumed-role/dev/session",
    "arn:aws-cn:iam::123456789012:user/alice",
    "arn:aws:iam::999999999999:user/alice",
    "nobody",
];
const PRINCIPALS: &[&str] = &[
    "*",
    "123456789012",
    "arn:aws:iam::123456789012:root",
    "arn:aws:iam::123456789012:user/alice",
    "arn:aws:iam::123456789012:role/path/dev",
    "arn:aws:sts::123456789012:assumed-role/dev/session",
];
const ACTIONS: &[&str] = &[
    "execute-api:Invoke",
    "execute-api:*",
    "*",
    "EXECUTE-API:inv?ke",
    "s3:Get*",
    "execute-api:InvalidateCache",
];
const KEYS: &[&str] = &[
    "aws:SourceIp",
    "aws:VpcSourceIp",
    "aws:UserAgent",
    "aws:username",
    "aws:CurrentTime",
    "x:list",
];
const VALUES: &[&str] = &[
    "",
    "a",
    "A",
    "ab",
    "alice",
    "true",
    "false",
    "1",
    "1.0",
    "-1",
    "10",
    "1e1",
    "2024",
    "2024-01-01T00:00:00Z",
    "1704067200",
    "YQ==",
    "10.0.0.1",
    "10.0.0.255",
    "::ffff:10.0.0.1",
    "2001:db8::1",
    "10.0.0.1x",
    "arn:aws:iam::1:role/dev",
    "arn:aws:iam::1:user/a:b",
];
const PATTERNS: &[&str] = &[
    "",
    "*",
    "?",
    "a*",
    "*a",
    "a?",
    "alice",
    "A",
    "${*}",
    "${aws:username}",
    "x${aws:username, 'a'}",
    "${x:list}",
];
const ARNS: &[&str] = &[
    "*",
    "arn:aws:iam::1:role/dev",
    "arn:aws:iam::*:role/*",
    "arn:*:iam::1:*",
    "arn:aws:iam::1:user/${aws:username}",
    "arn:?ws:iam::1:user/a:*",
];
const PIECES: &[&str] = &[
    "",
    "*",
    "?",
    "a",
    "b",
    "/",
    ":",
    "é",
    "GET",
    "prod/",
    "*/",
    "${*}",
    "${aws:username}",
    "${aws:UserAgent, 'b'}",
];

/// Makes one policy document.
pub fn policy(u: &mut Unstructured<'_>) -> Result<Json> {
    let identity = u.ratio(1, 4)?;
    let mut statements = Vec::new();
    for _ in 0..=u.int_in_range(0..=5)? {
        statements.push(statement(u, identity)?);
    }
    let mut document = Map::new();
    match u.int_in_range(0..=3)? {
        0 => {}
        1 => drop(document.insert("Version".into(), json!("2008-10-17"))),
        _ => drop(document.insert("Version".into(), json!("2012-10-17"))),
    }
    document.insert("Statement".into(), json!(statements));
    Ok(Json::Object(document))
}

fn statement(u: &mut Unstructured<'_>, identity: bool) -> Result<Json> {
    let mut statement = Map::new();
    statement.insert(
        "Effect".into(),
        json!(u.choose(&["Allow", "Allow", "Deny"])?),
    );
    if !identity {
        let element = if u.ratio(1, 5)? {
            "NotPrincipal"
        } else {
            "Principal"
        };
        let value = match u.int_in_range(0..=3)? {
            0 | 1 => json!("*"),
            2 => json!({ "AWS": some(u, 3, |u| Ok(*u.choose(PRINCIPALS)?))? }),
            _ => json!({ "Service": u.choose(&["*", "apigateway.amazonaws.com"])? }),
        };
        statement.insert(element.into(), value);
    }
    let action = if u.ratio(1, 6)? {
        "NotAction"
    } else {
        "Action"
    };
    statement.insert(
        action.into(),
        json!(some(u, 2, |u| Ok(*u.choose(ACTIONS)?))?),
    );
    let resource = if u.ratio(1, 4)? {
        "NotResource"
    } else {
        "Resource"
    };
    statement.insert(resource.into(), json!(some(u, 3, pattern)?));
    if u.ratio(3, 4)? {
        let mut conditions = Map::new();
        for _ in 0..u.int_in_range(1..=3)? {
            let (operator, block) = condition(u)?;
            conditions.insert(operator, block);
        }
        statement.insert("Condition".into(), Json::Object(conditions));
    }
    Ok(Json::Object(statement))
}

fn some<T>(
    u: &mut Unstructured<'_>,
    most: usize,
    mut make: impl FnMut(&mut Unstructured<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    (0..u.int_in_range(1..=most)?).map(|_| make(u)).collect()
}

/// A resource pattern: an ARN's head or a star, then pieces.
pub fn pattern(u: &mut Unstructured<'_>) -> Result<String> {
    let mut text = u
        .choose(&[
            ARN,
            ARN,
            "*",
            "arn:aws:execute-api:*:*:",
            "arn:?ws:execute-api:us-east-1:123456789012:",
        ])?
        .to_string();
    for _ in 0..u.int_in_range(0..=5)? {
        text.push_str(u.choose(PIECES)?);
    }
    Ok(text)
}

fn condition(u: &mut Unstructured<'_>) -> Result<(String, Json)> {
    // Addresses first: they are what the tables are built for.
    let operator = match u.int_in_range(0..=2)? {
        0 => Operator::IpAddress,
        1 => Operator::NotIpAddress,
        _ => *u.choose(Operator::ALL)?,
    };
    let qualifier = *u.choose(&[
        None,
        None,
        None,
        Some(Qualifier::ForAllValues),
        Some(Qualifier::ForAnyValue),
    ])?;
    let if_exists = operator != Operator::Null && u.ratio(1, 5)?;
    let name = ConditionOperator {
        qualifier,
        operator,
        if_exists,
    }
    .to_string();
    let mut block = Map::new();
    for _ in 0..u.int_in_range(1..=2)? {
        let key = match operator.family() {
            OperatorFamily::Ip => *u.choose(&[
                "aws:SourceIp",
                "aws:SourceIp",
                "AWS:sourceip",
                "aws:VpcSourceIp",
                "x:list",
            ])?,
            _ => *u.choose(KEYS)?,
        };
        let values = some(u, 4, |u| {
            Ok(match operator.family() {
                OperatorFamily::Ip => prefix(u)?,
                OperatorFamily::String => match u.arbitrary()? {
                    true => (*u.choose(VALUES)?).to_owned(),
                    false => (*u.choose(PATTERNS)?).to_owned(),
                },
                OperatorFamily::Numeric => {
                    (*u.choose(&["1", "1.0", "10", "-1", "1e1", "0.5"])?).to_owned()
                }
                OperatorFamily::Date => (*u.choose(&[
                    "2024",
                    "2024-01-01",
                    "1704067200",
                    "2023-12-31T23:00:00-01:00",
                    "1",
                ])?)
                .to_owned(),
                OperatorFamily::Bool | OperatorFamily::Null => {
                    (*u.choose(&["true", "false"])?).to_owned()
                }
                OperatorFamily::Binary => (*u.choose(&["YQ==", "YWI="])?).to_owned(),
                OperatorFamily::Arn => (*u.choose(ARNS)?).to_owned(),
            })
        })?;
        block.insert(key.to_owned(), json!(values));
    }
    Ok((name, Json::Object(block)))
}

/// A CIDR of few distinct addresses and all lengths.
pub fn prefix(u: &mut Unstructured<'_>) -> Result<String> {
    let length = u.int_in_range(0..=128)?;
    Ok(match address(u)? {
        IpAddr::V4(ip) => format!("{ip}/{}", length % 33),
        IpAddr::V6(ip) => format!("{ip}/{length}"),
    })
}

/// An address near the ends of common prefixes.
pub fn address(u: &mut Unstructured<'_>) -> Result<IpAddr> {
    let near: i8 = u.arbitrary()?;
    Ok(match u.int_in_range(0..=6)? {
        0 => IpAddr::V4(Ipv4Addr::from_bits(u.arbitrary()?)),
        1 => IpAddr::V6(Ipv6Addr::from_bits(u.arbitrary()?)),
        2 => IpAddr::V6(Ipv6Addr::from_bits(
            (0x2001_0db8_u128 << 96).wrapping_add_signed(near.into()),
        )),
        3 => IpAddr::V6(Ipv6Addr::from_bits(
            u128::MAX.wrapping_add_signed(near.into()),
        )),
        4 => IpAddr::V4(Ipv4Addr::from_bits(0_u32.wrapping_add_signed(near.into()))),
        _ => IpAddr::V4(Ipv4Addr::from_bits(
            0x0a00_0000_u32.wrapping_add_signed(near.into()),
        )),
    })
}

/// Makes one request.
pub fn question(u: &mut Unstructured<'_>) -> Result<Question> {
    let mut resource = String::from(ARN);
    for _ in 0..u.int_in_range(0..=5)? {
        resource.push_str(u.choose(&["a", "b", "/", ":", "é", "GET", "prod/", "alice", "*", "?"])?);
    }
    let mut context = Vec::new();
    for _ in 0..u.int_in_range(0..=3)? {
        let key = *u.choose(KEYS)?;
        let mut values = Vec::new();
        for _ in 0..u.int_in_range(0..=3)? {
            values.push((*u.choose(VALUES)?).to_owned());
        }
        context.push((key, values));
    }
    Ok(Question {
        principal: match u.int_in_range(0..=3)? {
            0 | 1 => Caller::Anonymous,
            2 => Caller::Aws(u.choose(CALLERS)?),
            _ => Caller::Service("apigateway.amazonaws.com"),
        },
        action: u.choose(&[
            "execute-api:Invoke",
            "execute-api:Invoke",
            "execute-api:invoke",
            "s3:GetObject",
            "execute-api:InvalidateCache",
        ])?,
        resource,
        source_ip: match u.int_in_range(0..=7)? {
            0 => SourceIp::Absent,
            1 => SourceIp::Unreadable,
            _ => SourceIp::Known(address(u)?),
        },
        context,
    })
}
