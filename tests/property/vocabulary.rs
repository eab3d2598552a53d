//! The words that random questions are made of: few, so that policies and requests meet, and each
//! at some edge of the language.

use portcullis::policy::OperatorFamily;

/// Addresses, from which prefixes of all lengths are made.
pub(super) const V4: &[&str] = &[
    "203.0.113.0",
    "203.0.113.7",
    "10.0.0.0",
    "10.0.1.0",
    "0.0.0.0",
    "127.255.255.255",
    "128.0.0.0",
    "255.255.255.255",
];
pub(super) const V4_LENGTHS: &[u8] = &[24, 32, 31, 0, 1, 8, 9, 16, 17, 23, 25, 30];
pub(super) const V6: &[&str] = &[
    "2001:db8::",
    "2001:db8:0:1::",
    "::",
    "::1",
    "::203.0.113.7",
    "::fffe:ffff:ffff",
    "::1:0:0:0",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
];
pub(super) const V6_LENGTHS: &[u8] =
    &[32, 128, 127, 0, 1, 48, 63, 64, 65, 80, 95, 96, 97, 112, 126];
/// Texts that are no address.
pub(super) const UNREADABLE: &[&str] = &[
    "unknown",
    "",
    "203.0.113.007",
    "203.0.113.7:80",
    "203.0.113.0/24",
    "fe80::1%1",
];

/// What an API's resources start with.
pub(super) const API: &str = "arn:aws:execute-api:us-east-1:123456789012:abc/";
/// Whole patterns.
pub(super) const PATTERNS: &[&str] = &[
    "*",
    "arn:aws:execute-api:*:*:*",
    "arn:aws:execute-api:us-east-1:*:*",
    "*/GET/*",
    "*/pets",
    "arn:aws:execute-api:us-east-1:123456789012:*/prod/*",
    "arn:aws:execute-api:us-east-1:123456789012:abc/",
    "?*",
    "**",
    "*a*a*b",
    "arn:",
    "a*",
    "ar?:*/pets",
];
/// What an API's patterns start with.
pub(super) const HEADS: &[&str] = &[
    API,
    "arn:aws:execute-api:us-east-1:123456789012:a?c/",
    "arn:aws:execute-api:us-east-1:123456789012:ab*/",
    "arn:aws:execute-api:*:123456789012:abc/",
    "*:abc/",
];
pub(super) const STAGES: &[&str] = &["prod", "*", "dev", "p*", "", "?rod", "prod*"];
pub(super) const METHODS: &[&str] = &["GET", "*", "POST", "?ET", "get", "*T"];
/// Segments of paths; those with a `$` stand for a head without wildcards only.
pub(super) const SEGMENTS: &[&str] = &[
    "pets", "*", "", "?", "1", "a:b", "a*b", "*?", "?*", "**", "é", "日*", "pet?", "*s",
];
pub(super) const VARIABLE_SEGMENTS: &[&str] = &[
    "${x:s}",
    "${X:S}*",
    "${x:gone, 'pets'}",
    "${x:list}",
    "${aws:SourceIp}",
    "${*}",
    "a${?}${$}",
    "?${x:s, ''}",
];
/// What may stand in a request for `*`, for `?`, and for a variable.
pub(super) const RUNS: &[&str] = &[
    "", "pets", "a", "a/b", ":", "GET/", "/", "prod/GET", "é", "ab", "*",
];
pub(super) const CHARACTERS: &[&str] = &["a", "/", "é", "G", ":", "?", "🦀"];
pub(super) const SUBSTITUTES: &[&str] = &["a", "pets", "*", "", "ab", "203.0.113.7", "a?$"];

pub(super) const ACTION_PATTERNS: &[&str] = &[
    "execute-api:Invoke",
    "*",
    "execute-api:*",
    "EXECUTE-API:inv*",
    "execute-api:I?voke",
    "s3:*",
    "execute-api:*Cache",
];
pub(super) const ACTIONS: &[&str] = &[
    "execute-api:Invoke",
    "execute-api:InvalidateCache",
    "Execute-API:INVOKE",
    "s3:Get",
    "",
];

/// Entries under `AWS`, and callers.
pub(super) const IDENTITIES: &[&str] = &[
    "arn:aws:iam::123456789012:user/alice",
    "arn:aws:iam::123456789012:root",
    "arn:aws:iam::123456789012:role/R",
    "arn:aws:iam::123456789012:role/team/R",
    "arn:aws:sts::123456789012:assumed-role/R/s",
    "arn:aws:sts::123456789012:assumed-role/R/t",
    "arn:aws:iam::210987654321:user/alice",
    "arn:aws-cn:iam::123456789012:user/alice",
];
pub(super) const ACCOUNTS: &[&str] = &["123456789012", "210987654321"];
/// Callers that no entry names.
pub(super) const STRANGERS: &[&str] = &[
    "arn:aws:sts::123456789012:assumed-role/R",
    "arn:aws:iam::1",
    "alice",
    "",
];
pub(super) const NAMES: &[&str] = &["lambda.amazonaws.com", "x"];

/// Keys that hold addresses, and the rest.
pub(super) const ADDRESS_KEYS: &[&str] = &["aws:SourceIp", "aws:VpcSourceIp", "x:peer"];
pub(super) const KEYS: &[&str] = &[
    "x:s",
    "x:n",
    "x:t",
    "x:b",
    "x:k",
    "x:arn",
    "x:list",
    "aws:UserAgent",
];

/// The key that mostly goes with a family of operators.
pub(super) fn usual_key(family: OperatorFamily) -> &'static str {
    match family {
        OperatorFamily::String => "x:s",
        OperatorFamily::Numeric => "x:n",
        OperatorFamily::Date => "x:t",
        OperatorFamily::Bool => "x:b",
        OperatorFamily::Binary => "x:k",
        OperatorFamily::Ip => "aws:SourceIp",
        OperatorFamily::Arn => "x:arn",
        OperatorFamily::Null => "x:list",
    }
}

/// Values a policy may have under operators of a family.
pub(super) fn policy_values(family: OperatorFamily) -> &'static [&'static str] {
    match family {
        OperatorFamily::String => &[
            "a",
            "*",
            "b",
            "ab",
            "A",
            "a*",
            "?",
            "",
            "*?",
            "é",
            "É",
            "1",
            "true",
            "203.0.113.7",
            "${x:s}",
            "a${x:s}*",
            "${x:gone, 'a'}",
            "${*}",
            "${x:list}",
            "${aws:SourceIp}",
        ],
        OperatorFamily::Numeric => &[
            "1", "0", "-0", "1.0", "10", "1e1", "-1", "0.5", "50e-2", "1e400",
        ],
        OperatorFamily::Date => &[
            "2024",
            "2024-01-01",
            "1704067200",
            "2024-01-01T00:00:00Z",
            "2023-12-31T23:59:59.5Z",
            "2024-01-01T01:00+01:00",
            "0",
            "-1.5",
            "1970",
        ],
        OperatorFamily::Bool | OperatorFamily::Null => &["true", "false"],
        OperatorFamily::Binary => &["AAAA", "AA==", "/+8="],
        OperatorFamily::Ip => &[],
        OperatorFamily::Arn => &[
            "arn:aws:iam::1:role/*",
            "*:*:*:*:*:*",
            "arn:aws:iam::1:user/?",
            "*",
            "arn:aws:iam::${x:s}:user/a",
            "arn:aws:*:*:1:a:*",
            "arn:aws:iam::1:user/${*}",
        ],
    }
}

/// Values a request may have that no policy has.
pub(super) const REQUEST_VALUES: &[&str] = &[
    "a",
    "ab",
    "ä",
    "B",
    "",
    " ",
    "2",
    "1.00",
    "one",
    "2024-01-01T00:00:00.000Z",
    "2025",
    "-2",
    "True",
    "AAA",
    "arn:aws:iam::1:user/a",
    "arn:aws:iam::1:role/x:y",
    "203.0.113.8",
    "::ffff:203.0.113.7",
];
