//! Resources: patterns that match nothing, less, or more than they seem to.

use crate::analysis::globs::{Glob, STRANGE};
use crate::analysis::lint::finding::Found;
use crate::analysis::lint::rule::{Rule, Severity};
use crate::analysis::lint::subject::{
    SHORT_HAND, Subject, behind_api, is_for_everyone, is_for_invoke, quoted,
};
use crate::decision::Effect;
use crate::policy::{Located, PolicyKind, Statement, Text};

pub(super) const NO_METHOD: Rule = Rule {
    id: "resource-matches-no-call",
    severity: Severity::Error,
    summary: "A resource that no call of an API can match, such as an execution ARN without `/*`",
    why: "A call's resource is `arn:PARTITION:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/PATH`, where even the root path has its slash \
        (`…/prod/GET/`). A pattern that leaves no room for stage, method and path matches no call, so the statement does nothing; \
        under `NotResource` it excepts nothing.",
    mend: "End the pattern in `/*` (all stages, methods and paths) or `/STAGE/METHOD/PATH`.",
    quiet: "Statements for actions other than those of `execute-api` are not told, nor routes of WebSocket APIs (`$connect`).",
    bad: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "arn:aws:execute-api:eu-central-1:123456789012:abc123"
    }
  ]
}"#,
    good: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "arn:aws:execute-api:eu-central-1:123456789012:abc123/*"
    }
  ]
}"#,
    near_miss: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": ["arn:aws:execute-api:eu-central-1:123456789012:*", "execute-api:/prod/GET/"]
    }
  ]
}"#,
    check: no_method,
};

fn no_method(subject: &Subject<'_>, found: &mut Found<'_>) {
    let calls = Glob::read("arn:*:execute-api:*:*:*/*/*/*");
    let possible = |raw: &str, text: &Text| {
        let glob = Glob::with_any_values(text);
        if raw.starts_with(SHORT_HAND) {
            return !Glob::read("execute-api:/*/*/*").is_disjoint(&glob);
        }
        !calls.is_disjoint(&glob)
    };
    for (at, statement, text) in resources(subject) {
        let raw = text.value.raw();
        let only_calls = (statement.action.patterns.iter())
            .all(|action| starts_without_case(&action.value, "execute-api:"));
        if !only_calls
            || statement.action.negated
            || raw.contains("/$")
            || possible(raw, &text.value)
        {
            continue;
        }
        let effect = if statement.resource.negated {
            "excepts nothing"
        } else {
            "matches no call"
        };
        let message = format!("{} {effect}", quoted(raw));
        let longer = format!("{}/*", raw.trim_end_matches('/'));
        let slashes = behind_api(&longer).map_or(0, |(_, rest)| rest.matches('/').count());
        let (reason, help) = if !is_of_execute_api(raw)
            || !possible(&longer, &Text::plain(longer.as_str()))
        {
            (
                "it is not of the form of a call's ARN",
                "write `arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/PATH`, or `execute-api:/STAGE/METHOD/PATH`".to_owned(),
            )
        } else if slashes >= 2 && !raw.ends_with('/') {
            (
                "the path of a call begins with a slash behind the method, even if it is the root",
                format!("write `{raw}/` for the root path, or `{raw}/*` for all"),
            )
        } else {
            (
                "it leaves no room for stage, method and path",
                format!("write {}", quoted(&longer)),
            )
        };
        found
            .tell(Some(at), text.span, format!("{message}: {reason}"))
            .help(help);
    }
}

pub(super) const NO_STAGE: Rule = Rule {
    id: "method-misplaced",
    severity: Severity::Warning,
    summary: "A resource with something else where the method stands",
    why: "Behind the API come the stage, then the method, then the path. `execute-api:/GET/pets/*` is the stage `GET` and the method `pets`, which no call has; \
        `execute-api:/prod/pets/*` has no method at all. `ANY` is a method in a definition, never in a call.",
    mend: "Write `/STAGE/METHOD/PATH`, with `*` for any stage or method.",
    quiet: "Where the stage holds a `*` the method may be part of what it matches (`execute-api:/*/pets`), which is not told.",
    bad: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/GET/pets/*"
    }
  ]
}"#,
    good: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/prod/GET/pets/*"
    }
  ]
}"#,
    near_miss: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": ["execute-api:/prod/*", "execute-api:/prod/*/pets/*"]
    }
  ]
}"#,
    check: no_stage,
};

fn no_stage(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (at, _, text) in resources(subject) {
        let raw = text.value.raw();
        let Some((_, rest)) = behind_api(raw) else {
            continue;
        };
        let mut parts = rest.split('/');
        let (Some(stage), Some(method), Some(_)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        if stage.contains(['*', '$'])
            || method.contains(['*', '?', '$'])
            || method.is_empty()
            || METHODS
                .iter()
                .any(|known| known.eq_ignore_ascii_case(method))
        {
            continue;
        }
        let (message, help) = if method == "ANY" {
            (
                format!(
                    "{} matches no call: no call has the method `ANY`",
                    quoted(raw)
                ),
                "write `*` for any method".to_owned(),
            )
        } else if METHODS.contains(&stage) {
            (
                format!(
                    "{} has `{stage}` where the stage stands, and `{method}` where the method stands",
                    quoted(raw)
                ),
                format!("put the stage in front, such as `/*/{rest}`"),
            )
        } else {
            (
                format!(
                    "{} has {} where the method stands",
                    quoted(raw),
                    quoted(method)
                ),
                format!(
                    "write the method behind the stage, such as `/{stage}/*/{}`",
                    rest.get(stage.len() + 1..).unwrap_or("*")
                ),
            )
        };
        found.tell(Some(at), text.span, message).help(help);
    }
}

pub(super) const CASE: Rule = Rule {
    id: "method-case",
    severity: Severity::Warning,
    summary: "A method that is not in capitals",
    why: "Resources are compared with regard to case, and the method of a call is in capitals: `/prod/get/pets` matches no call.",
    mend: "Write the method in capitals.",
    quiet: "Paths may have any case.",
    bad: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/prod/get/pets"
    }
  ]
}"#,
    good: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/prod/GET/pets"
    }
  ]
}"#,
    near_miss: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/prod/GET/get/options"
    }
  ]
}"#,
    check: method_case,
};

fn method_case(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (at, _, text) in resources(subject) {
        let raw = text.value.raw();
        let Some((start, rest)) = behind_api(raw) else {
            continue;
        };
        let mut parts = rest.split('/');
        let (Some(stage), Some(method)) = (parts.next(), parts.next()) else {
            continue;
        };
        let Some(meant) = METHODS
            .iter()
            .find(|known| known.eq_ignore_ascii_case(method))
        else {
            continue;
        };
        if *meant == method {
            continue;
        }
        let behind = start + stage.len() + 1 + method.len();
        let mended = format!(
            "{}{stage}/{meant}{}",
            raw.get(..start).unwrap_or_default(),
            raw.get(behind..).unwrap_or_default()
        );
        found
            .tell(
                Some(at),
                text.span,
                format!(
                    "{} has the method `{method}`, and calls have `{meant}`",
                    quoted(raw)
                ),
            )
            .help(format!("write {}", quoted(&mended)));
    }
}

pub(super) const COLON: Rule = Rule {
    id: "colon-behind-api",
    severity: Severity::Warning,
    summary: "An ARN with a sixth colon, such as `arn:aws:execute-api:REGION:ACCOUNT:*:*`",
    why: "The ARN of a call has five colons and then `API/STAGE/METHOD/PATH`. A pattern with one more matches only calls whose path has a `:` in it, which is \
        nearly none, though it looks as wide as can be.",
    mend: "Write `/` in place of the sixth colon and what follows: `arn:aws:execute-api:REGION:ACCOUNT:API/*`, or `…:ACCOUNT:*` for all APIs.",
    quiet: "A colon in the path is fine.",
    bad: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "arn:aws:execute-api:eu-central-1:123456789012:*:*"
    }
  ]
}"#,
    good: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "arn:aws:execute-api:eu-central-1:123456789012:*"
    }
  ]
}"#,
    near_miss: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": ["arn:aws:execute-api:*:*:*", "arn:aws:execute-api:eu-central-1:123456789012:abc123/prod/POST/jobs:cancel"]
    }
  ]
}"#,
    check: colon,
};

fn colon(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (at, statement, text) in resources(subject) {
        let raw = text.value.raw();
        if !starts_without_case(raw, "arn:") || raw.split(':').nth(2) != Some("execute-api") {
            continue;
        }
        let Some(behind) = raw.splitn(6, ':').nth(5) else {
            continue;
        };
        let api = behind.split('/').next().unwrap_or_default();
        let Some((id, _)) = api.split_once(':') else {
            continue;
        };
        let start = raw.get(..raw.len() - behind.len()).unwrap_or_default();
        let mended = if id == "*" {
            format!("{start}*")
        } else {
            format!("{start}{id}/*")
        };
        let verb = if statement.resource.negated {
            "excepts"
        } else {
            "matches"
        };
        found
            .tell(
                Some(at),
                text.span,
                format!(
                    "{} {verb} only calls with a `:` behind the API, as in a path",
                    quoted(raw)
                ),
            )
            .help(format!("write {}", quoted(&mended)));
    }
}

pub(super) const WIDE_STAR: Rule = Rule {
    id: "star-crosses-slash",
    severity: Severity::Note,
    summary: "A `*` for the stage or the method that reaches into the path",
    why: "A `*` stops at nothing. `execute-api:/*/GET/*` is meant as \"GET in any stage\", and also matches POST to `/x/GET/y`, with `prod/POST/x` for the first `*`. \
        Where the API has paths with variable parts, a caller can choose one that matches: an Allow lets more in than it says, a Deny refuses more.",
    mend: "Write the stage (`execute-api:/prod/GET/*`), and a statement or resource for each method in place of a `*` in front of a path.",
    quiet: "A `*` with nothing definite behind it (`/*`, `/*/*/*`, `/prod/*`) reaches everything anyway, and a `*` in the path is expected to go on. Told once for each policy. \
        An API without paths that repeat method names is not affected: switch the rule off there.",
    bad: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*/GET/*"
    }
  ]
}"#,
    good: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/prod/GET/*"
    }
  ]
}"#,
    near_miss: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": ["execute-api:/*/*/*", "execute-api:/prod/GET/pets/*/photo"]
    }
  ]
}"#,
    check: wide_star,
};

fn wide_star(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (at, statement, text) in resources(subject) {
        let raw = text.value.raw();
        let fits = !statement.resource.negated && raw.len() <= LONG;
        let Some((_, rest)) = behind_api(raw).filter(|_| fits) else {
            continue;
        };
        let Some((stage, behind)) = rest.split_once('/') else {
            continue;
        };
        let Some((method, path)) = behind.split_once('/') else {
            continue;
        };
        let sample = |text: &str| Glob::read(text).example("x");
        let (other, met) = if stage.contains('*') && METHODS.contains(&method) {
            let other = if method == "POST" { "DELETE" } else { "POST" };
            let path = format!("x/{method}/{}", sample(path));
            // What the stage's `*` takes besides the stage.
            let call = format!(
                "{}/{path}",
                stage.replacen('*', &format!("prod/{other}"), 1)
            );
            (format!("{other} to `/{path}`"), sample(&call))
        } else if method.contains('*') {
            let longer = format!("x/{}", sample(path));
            if Glob::read(path).matches(&longer) {
                continue;
            }
            let call = format!(
                "{}/{}/{longer}",
                sample(stage),
                method.replacen('*', "GET", 1)
            );
            (format!("GET to `/{longer}`"), sample(&call))
        } else {
            continue;
        };
        // NOTE: with variables in it the example may not be one; then there is none to show.
        if !Glob::read(rest).matches(&met) {
            continue;
        }
        let verb = match statement.effect.value {
            Effect::Allow => "allows",
            Effect::Deny => "denies",
        };
        found
            .tell(
                Some(at),
                text.span,
                format!(
                    "{} also {verb} {other}: a `*` takes slashes too",
                    quoted(raw)
                ),
            )
            .help("write the stage, and each method, in place of the `*`");
    }
}

pub(super) const WITHOUT_OPTIONS: Rule = Rule {
    id: "options-not-allowed",
    severity: Severity::Note,
    summary: "A path whose methods are allowed one by one, and OPTIONS is not among them",
    why: "With a resource policy every method that no statement allows is denied. Before a call from another origin a browser asks with OPTIONS, without credentials; \
        if that is denied, the call fails with an error that speaks of CORS and not of the policy.",
    mend: "Allow OPTIONS for the same path, without the address condition if browsers are to get a clear answer, or use `*` for the method.",
    quiet: "Only resource policies, and Allows for everyone. Told once for each policy. An API that no browser calls from another origin does not need OPTIONS: \
        switch the rule off there.",
    bad: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": ["execute-api:/prod/GET/pets", "execute-api:/prod/POST/pets"]
    }
  ]
}"#,
    good: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": [
        "execute-api:/prod/GET/pets",
        "execute-api:/prod/POST/pets",
        "execute-api:/prod/OPTIONS/pets"
      ]
    }
  ]
}"#,
    near_miss: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": ["execute-api:/prod/GET/pets", "execute-api:/prod/OPTIONS/*"]
    }
  ]
}"#,
    check: without_options,
};

fn without_options(subject: &Subject<'_>, found: &mut Found<'_>) {
    if subject.policy().kind() != PolicyKind::Resource {
        return;
    }
    let allowed = || {
        resources(subject).filter(|(_, statement, _)| {
            statement.effect.value == Effect::Allow
                && is_for_everyone(statement)
                && is_for_invoke(statement)
        })
    };
    if allowed().any(|(_, statement, _)| statement.resource.negated) {
        return;
    }
    let globs: Vec<Glob> = allowed()
        .map(|(_, _, text)| Glob::with_any_values(&text.value))
        .filter(|glob| !glob.is_long())
        .collect();
    let mut work = 0;
    for (at, _, text) in allowed() {
        let raw = text.value.raw();
        let Some((start, rest)) = behind_api(raw) else {
            continue;
        };
        let mut parts = rest.splitn(3, '/');
        let (Some(stage), Some(method), Some(path)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        if !METHODS.contains(&method) || method == "OPTIONS" || raw.len() > LONG {
            continue;
        }
        let api = raw.get(..start).unwrap_or_default();
        let asked = Glob::read(&format!("{api}{stage}/OPTIONS/{path}")).example(STRANGE);
        work += globs.len();
        if work > BUDGET {
            return;
        }
        if globs.iter().any(|glob| glob.matches(&asked)) {
            continue;
        }
        found
            .tell(
                Some(at),
                text.span,
                format!("OPTIONS for `/{path}` is allowed by no statement: browsers on other origins cannot call {method}"),
            )
            .help(format!("allow {} too, if browsers call this API", quoted(&format!("{api}{stage}/OPTIONS/{path}"))));
    }
}

/// Returns every resource with its statement.
fn resources<'a>(
    subject: &Subject<'a>,
) -> impl Iterator<Item = (usize, &'a Statement, &'a Located<Text>)> + use<'a> {
    subject
        .statements()
        .flat_map(|(at, s)| s.resource.patterns.iter().map(move |text| (at, s, text)))
}

/// Returns whether a resource names the service where an ARN does.
fn is_of_execute_api(raw: &str) -> bool {
    raw.starts_with(SHORT_HAND) || raw.split(':').nth(2) == Some("execute-api")
}

fn starts_without_case(text: &str, start: &str) -> bool {
    (text.get(..start.len())).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// The methods that a call can have.
const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/// Bytes of a resource that is compared with others; that of a call has 1 600 at most.
const LONG: usize = 4_096;
/// Comparisons of an OPTIONS call with an allowed resource, at most.
const BUDGET: usize = 2_000_000;
