//! What is called, and the API that short-hand resources belong to.
//!
//! `--resource` is taken as it stands. From `--method` and `--path` the ARN is put
//! together, and parts that were left out get a default. A default must neither match by
//! accident nor fail in silence, so it is only taken for a part that no resource of the
//! policies names:
//!
//! ```text
//! arn:aws:execute-api:eu-central-1:*:*                 names a region, so --region must be given
//! execute-api:/prod/GET/pets                           names a stage, so --stage must be given
//! execute-api:/*                                       names nothing
//! ```
//!
//! A wildcard stops at neither `:` nor `/`. One that is a whole part says nothing about
//! what follows, but beside other text it may stand for the rest of its part and the
//! beginning of the next, so all parts behind it count as named:
//!
//! ```text
//! arn:aws:execute-api:*:*:*abc*                        --api-id, and --stage, which may hold the `abc`
//! ```

use portcullis::{Api, ApiError, Policy};

use crate::args::{ApiArgs, QuestionArgs};
use crate::failure::Failure;
use crate::policies::{LoadedPolicy, has_short_hand};
use crate::terminal::visible;

/// What is called, and whose the short-hand is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The ARN of the request.
    pub(crate) resource: String,
    /// The API of short-hand resources; `None` where no policy has any.
    pub(crate) api: Option<Api>,
    /// What the user may have meant otherwise.
    pub(crate) warnings: Vec<String>,
}

/// What is called, as the arguments give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Called<'a> {
    /// A full ARN.
    Resource(&'a str),
    /// A method and a path, for an ARN to be put together.
    Endpoint {
        /// The HTTP method.
        method: &'a str,
        /// The path.
        path: &'a str,
    },
}

impl<'a> Called<'a> {
    /// Reads what is called, in one of the two forms.
    ///
    /// The parser of the command line refuses both at once; of one that is not whole it
    /// would ask for the other's arguments too.
    pub(crate) fn read(args: &'a QuestionArgs) -> Result<Self, Failure> {
        let missing = match (&args.resource, &args.method, &args.path) {
            (Some(resource), ..) => return Ok(Self::Resource(resource)),
            (None, Some(method), Some(path)) => return Ok(Self::Endpoint { method, path }),
            (None, Some(_), None) => "--path is missing beside --method",
            (None, None, Some(_)) => "--method is missing beside --path",
            (None, None, None) => "what is called is missing",
        };
        Err(Failure::usage(
            missing,
            "give --method METHOD and --path PATH together, or --resource ARN in place of both",
        ))
    }
}

impl Target {
    /// Reads the target from what is called and the arguments beside it.
    pub(crate) fn read(
        called: Called<'_>,
        args: &QuestionArgs,
        policies: PolicyTraits,
    ) -> Result<Self, Failure> {
        let PolicyTraits { named, short_hand } = policies;
        match called {
            Called::Resource(resource) => Self::of_resource(resource, &args.api, short_hand),
            Called::Endpoint { method, path } => {
                let parts = Parts::read(args, named)?;
                parts.into_target(method, path, short_hand)
            }
        }
    }

    /// Reads the target where an image decides, which does not tell what its resources name: nothing
    /// can be left out.
    pub(crate) fn read_for_image(called: Called<'_>, args: &QuestionArgs) -> Result<Self, Failure> {
        let api = &args.api;
        let parts = [&args.stage, &api.region, &api.account, &api.api_id];
        if matches!(called, Called::Endpoint { .. }) && parts.iter().any(|part| part.is_none()) {
            return Err(Failure::usage(
                "an image does not tell which parts of an ARN can be left out",
                "give --stage, --region, --account and --api-id beside --method and --path, or --resource",
            ));
        }
        Self::read(called, args, PolicyTraits::of(&[]))
    }

    fn of_resource(resource: &str, flags: &ApiArgs, short_hand: bool) -> Result<Self, Failure> {
        if resource.starts_with("execute-api:/") {
            return Err(Failure::usage(
                format!(
                    "--resource `{}` is short-hand, which stands for something only in a policy",
                    visible(resource)
                ),
                "give the full ARN, or --method, --path and --stage",
            ));
        }
        let mut warnings = Vec::new();
        if !resource.starts_with("arn:") || resource.splitn(6, ':').count() < 6 {
            warnings.push(format!(
                "--resource `{}` is no ARN (arn:PARTITION:execute-api:REGION:ACCOUNT:ID/STAGE/METHOD/path)",
                visible(resource)
            ));
        }
        Ok(Self {
            api: short_hand
                .then(|| api_beside(resource, flags))
                .transpose()?,
            resource: resource.to_owned(),
            warnings,
        })
    }
}

/// Returns the API that the flags name; what they leave out is that of the resource.
fn api_beside(resource: &str, flags: &ApiArgs) -> Result<Api, Failure> {
    let own = Api::from_arn(resource);
    let named = [
        &flags.partition,
        &flags.region,
        &flags.account,
        &flags.api_id,
    ];
    if let Some(own) = &own
        && named.iter().all(|part| part.is_none())
    {
        return Ok(own.clone());
    }
    let of_own =
        |part: fn(&OwnParts<'_>) -> String| own.as_ref().map(|_| part(&OwnParts::of(resource)));
    let partition = flags
        .partition
        .clone()
        .or_else(|| of_own(|own| own.partition.to_owned()))
        .unwrap_or_else(|| DEFAULT_PARTITION.to_owned());
    let mut missing = Vec::new();
    let mut part = |flag: &'static str, given: &Option<String>, own: Option<String>| {
        given.clone().or(own).unwrap_or_else(|| {
            missing.push(flag);
            String::new()
        })
    };
    let region = part(
        "--region",
        &flags.region,
        of_own(|own| own.region.to_owned()),
    );
    let account = part(
        "--account",
        &flags.account,
        of_own(|own| own.account.to_owned()),
    );
    let id = part("--api-id", &flags.api_id, of_own(|own| own.id.to_owned()));
    if !missing.is_empty() {
        return Err(Failure::usage(
            "the policies have short-hand resources (`execute-api:/…`), and nothing says which API they belong to: \
             --resource is no ARN of an API",
            format!("give {}", list(&missing)),
        ));
    }
    Api::new(&partition, &region, &account, &id).map_err(|error| no_api(&error))
}

/// The parts of a resource that is an ARN of an API.
struct OwnParts<'a> {
    partition: &'a str,
    region: &'a str,
    account: &'a str,
    id: &'a str,
}

impl<'a> OwnParts<'a> {
    fn of(arn: &'a str) -> Self {
        let mut parts = arn.splitn(6, ':').skip(1);
        let mut next = || parts.next().unwrap_or_default();
        let (partition, _service, region, account) = (next(), next(), next(), next());
        let id = next().split('/').next().unwrap_or_default();
        Self {
            partition,
            region,
            account,
            id,
        }
    }
}

/// The parts of a request's ARN in front of the method.
struct Parts {
    partition: String,
    region: String,
    account: String,
    id: String,
    stage: String,
}

impl Parts {
    /// Reads the parts from the flags, with defaults for those that `named` leaves free.
    fn read(args: &QuestionArgs, named: Named) -> Result<Self, Failure> {
        let mut missing = Vec::new();
        let mut part = |flag: &'static str, given: &Option<String>, named: bool, default: &str| {
            if given.is_none() && named {
                missing.push(flag);
            }
            given.clone().unwrap_or_else(|| default.to_owned())
        };
        let api = &args.api;
        let parts = Self {
            partition: part(
                "--partition",
                &api.partition,
                named.partition,
                DEFAULT_PARTITION,
            ),
            region: part("--region", &api.region, named.region, DEFAULT_REGION),
            account: part("--account", &api.account, named.account, DEFAULT_ACCOUNT),
            id: part("--api-id", &api.api_id, named.id, DEFAULT_ID),
            stage: part("--stage", &args.stage, named.stage, DEFAULT_STAGE),
        };
        if missing.is_empty() {
            return Ok(parts);
        }
        let these = if missing.len() == 1 {
            "that part"
        } else {
            "those parts"
        };
        Err(Failure::usage(
            format!(
                "{} must be given beside --method and --path: a resource of the policies names {these}, \
                 or has a wildcard that may reach into {these}",
                list(&missing)
            ),
            "or give --resource with the full ARN",
        ))
    }

    fn into_target(self, method: &str, path: &str, short_hand: bool) -> Result<Target, Failure> {
        let mut warnings = Vec::new();
        if method.is_empty() || method.contains('/') {
            return Err(Failure::usage(
                format!("--method `{}` is no HTTP method", visible(method)),
                "give one such as GET",
            ));
        }
        if method.bytes().any(|byte| byte.is_ascii_lowercase()) {
            warnings.push(format!(
                "--method `{}` is taken as it stands, and methods are upper case in ARNs: `{}`?",
                visible(method),
                visible(&method.to_ascii_uppercase()),
            ));
        }
        if let Some((path, _)) = path.split_once('?') {
            return Err(Failure::usage(
                "--path has a query, which is no part of what a policy sees",
                format!("give --path {}", visible(path)),
            ));
        }
        let Self {
            partition,
            region,
            account,
            id,
            stage,
        } = &self;
        let path = path.strip_prefix('/').unwrap_or(path);
        Ok(Target {
            resource: format!(
                "arn:{partition}:execute-api:{region}:{account}:{id}/{stage}/{method}/{path}"
            ),
            api: short_hand
                .then(|| Api::new(partition, region, account, id))
                .transpose()
                .map_err(|error| no_api(&error))?,
            warnings,
        })
    }
}

/// What of policies a target depends on; read once for many requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PolicyTraits {
    named: Named,
    short_hand: bool,
}

impl PolicyTraits {
    /// Reads the resources of the policies.
    pub(crate) fn of(policies: &[LoadedPolicy]) -> Self {
        Self {
            named: Named::by(policies.iter().map(|loaded| &loaded.policy)),
            short_hand: policies.iter().any(|loaded| has_short_hand(&loaded.policy)),
        }
    }
}

/// The parts of the ARNs of many requests, as far as they are known before the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LineParts {
    /// The partition.
    pub(crate) partition: String,
    /// The region.
    pub(crate) region: String,
    /// The account that owns the API.
    pub(crate) account: LinePart,
    /// The API's id.
    pub(crate) id: LinePart,
    /// The stage.
    pub(crate) stage: LinePart,
}

/// A part of an ARN that a request may bring along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LinePart {
    /// This for every request: a flag gives it.
    Given(String),
    /// What the request has, else this: no resource names the part.
    Default(&'static str),
    /// What the request has, or there is no answer: a resource names the part.
    Needed,
}

impl LineParts {
    /// Reads the parts from the flags, with defaults for those that the policies leave free.
    pub(crate) fn read<'a>(
        api: &ApiArgs,
        stage: Option<&str>,
        policies: impl Iterator<Item = &'a Policy>,
    ) -> Result<Self, Failure> {
        let named = Named::by(policies);
        let mut missing = Vec::new();
        let mut whole = |flag: &'static str, given: &Option<String>, named: bool, default: &str| {
            if given.is_none() && named {
                missing.push(flag);
            }
            given.clone().unwrap_or_else(|| default.to_owned())
        };
        let partition = whole(
            "--partition",
            &api.partition,
            named.partition,
            DEFAULT_PARTITION,
        );
        let region = whole("--region", &api.region, named.region, DEFAULT_REGION);
        if !missing.is_empty() {
            return Err(Failure::usage(
                format!(
                    "{} must be given: a resource of the policies names it, or has a wildcard that may \
                     reach into it, and no log says it",
                    list(&missing)
                ),
                "give it as it stands in the ARNs of the API that was called",
            ));
        }
        let part = |given: Option<&str>, named: bool, default| match given {
            Some(given) => LinePart::Given(given.to_owned()),
            None if named => LinePart::Needed,
            None => LinePart::Default(default),
        };
        Ok(Self {
            partition,
            region,
            account: part(api.account.as_deref(), named.account, DEFAULT_ACCOUNT),
            id: part(api.api_id.as_deref(), named.id, DEFAULT_ID),
            stage: part(stage, named.stage, DEFAULT_STAGE),
        })
    }
}

/// Which parts of an ARN the resources of policies name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Named {
    partition: bool,
    region: bool,
    account: bool,
    id: bool,
    stage: bool,
}

impl Named {
    const ALL: Self = Self {
        partition: true,
        region: true,
        account: true,
        id: true,
        stage: true,
    };

    fn by<'a>(policies: impl Iterator<Item = &'a Policy>) -> Self {
        let mut named = Self::default();
        for policy in policies {
            for statement in policy.statements() {
                for pattern in &statement.resource.patterns {
                    named.add(pattern.value.raw());
                }
            }
        }
        named
    }

    fn add(&mut self, pattern: &str) {
        if let Some(rest) = pattern.strip_prefix("execute-api:/") {
            self.stage |= names(rest.split_once('/').map_or(rest, |(stage, _)| stage));
            return;
        }
        if pattern == "*" {
            return;
        }
        let parts: Vec<&str> = pattern.splitn(6, ':').collect();
        let part = |index: usize| parts.get(index).copied().unwrap_or("*");
        // A lone `*` in the last place covers all that would follow it; any other shape may
        // say anything about any part.
        if part(0) != "arn" || (parts.len() < 6 && parts.last() != Some(&"*")) {
            *self = Self::ALL;
            return;
        }
        let (id, rest) = part(5).split_once('/').unwrap_or((part(5), "*"));
        let stage = rest.split_once('/').map_or(rest, |(stage, _)| stage);
        // Whether a wildcard in front may stand for some of the part.
        let mut reached = false;
        let mut named = |part: &str, default: Option<&str>| {
            let named = reached || (names(part) && Some(part) != default);
            reached |= names(part) && part.contains(['*', '?']);
            named
        };
        self.partition |= named(part(1), Some(DEFAULT_PARTITION));
        // The service is always that of an API.
        named(part(2), None);
        self.region |= named(part(3), None);
        self.account |= named(part(4), None);
        self.id |= named(id, None);
        self.stage |= named(stage, None);
    }
}

/// Returns whether a part of a pattern says anything about that part of an ARN.
fn names(part: &str) -> bool {
    part != "*"
}

/// Returns `a`, `a and b`, `a, b and c`.
fn list(items: &[&str]) -> String {
    match items {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Returns an API to compile short-hand for where none matters, as the flags have it.
pub(crate) fn placeholder(flags: &ApiArgs) -> Result<Api, Failure> {
    let part = |given: &Option<String>, default: &str| given.clone().unwrap_or(default.to_owned());
    Api::new(
        &part(&flags.partition, DEFAULT_PARTITION),
        &part(&flags.region, DEFAULT_REGION),
        &part(&flags.account, DEFAULT_ACCOUNT),
        &part(&flags.api_id, DEFAULT_ID),
    )
    .map_err(|error| no_api(&error))
}

/// Says which flag is to name the API.
fn no_api(error: &ApiError) -> Failure {
    let flag = match error.part() {
        "id" => "api-id",
        part => part,
    };
    Failure::Usage {
        message: format!("--{flag}: {error}"),
        help: None,
    }
}

const DEFAULT_PARTITION: &str = "aws";
const DEFAULT_REGION: &str = "us-east-1";
const DEFAULT_ACCOUNT: &str = "123456789012";
const DEFAULT_ID: &str = "a1b2c3d4e5";
const DEFAULT_STAGE: &str = "prod";

#[cfg(test)]
mod tests {
    use super::*;

    fn named(pattern: &str) -> String {
        let mut named = Named::default();
        named.add(pattern);
        let Named {
            partition,
            region,
            account,
            id,
            stage,
        } = named;
        [
            (partition, 'p'),
            (region, 'r'),
            (account, 'a'),
            (id, 'i'),
            (stage, 's'),
        ]
        .into_iter()
        .filter_map(|(is, letter)| is.then_some(letter))
        .collect()
    }

    #[test]
    fn parts_that_a_pattern_names() {
        for (pattern, expected) in [
            ("*", ""),
            ("execute-api:/*", ""),
            ("execute-api:/*/GET/pets", ""),
            ("execute-api:/prod/*", "s"),
            ("execute-api:/pr*", "s"),
            ("execute-api:/${aws:PrincipalTag/stage}/*", "s"),
            ("arn:aws:execute-api:*:*:*", ""),
            ("arn:aws:execute-api:*", ""),
            ("arn:*", ""),
            ("arn:aws-cn:execute-api:*:*:*", "p"),
            ("arn:aws:execute-api:us-east-1:*:*", "r"),
            ("arn:aws:execute-api:us-east-1:123456789012:*:*", "rais"),
            ("arn:aws:execute-api:*:*:abc/*", "i"),
            ("arn:aws:execute-api:*:*:*/dev/GET/*", "s"),
            (
                "arn:aws:execute-api:us-east-1:123456789012:abc/dev/GET/hello",
                "rais",
            ),
            // A wildcard beside other text reaches into all parts behind it.
            ("arn:aws:execute-api:us-*:*:*", "rais"),
            ("arn:aws:execute-api:us-*1:*:*/*/GET/pets", "rais"),
            ("arn:aws:execute-api:*:12345678901?:*", "ais"),
            ("arn:aws:execute-api:*:*:*abc*", "is"),
            ("arn:aws:execute-api:*:*:a*/*/GET/pets", "is"),
            ("arn:aws*:execute-api:*:*:*", "prais"),
            ("arn:aws:execute-ap?:*:*:*", "rais"),
            ("arn:aws:*:*:*:*", ""),
            ("arn:aws:execute-api:*:*:*/pr*/GET/pets", "s"),
            // A `*` that may stand for several parts: nothing is left free.
            ("arn:*:abc/prod/GET/*", "prais"),
            ("*/GET/pets", "prais"),
        ] {
            assert_eq!(named(pattern), expected, "{pattern}");
        }
    }
}
