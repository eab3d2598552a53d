//! Policies that decide together, and the evaluators made from them.
//!
//! Short-hand resources belong to the API of the request, so a set that has some needs an
//! evaluator for each API that is asked about; `by_api` keeps them.

use portcullis::{Api, BuildError, Decision, Engine, Policy, Request, reference};

use super::by_api::{ByApi, api_of};
use crate::args::EngineChoice;
use crate::failure::Failure;
use crate::policies::{self, LoadedPolicy, has_short_hand};

/// Policies that decide together.
#[derive(Debug)]
pub(super) struct PolicySet(Evaluators);

#[derive(Debug)]
enum Evaluators {
    /// No short-hand: one for all requests.
    One(Evaluator),
    /// Short-hand: one for each API.
    ByApi {
        policies: Vec<Policy>,
        choice: EngineChoice,
        built: ByApi<Result<Evaluator, SetError>>,
    },
}

#[derive(Debug)]
enum Evaluator {
    Compiled(Box<Engine>),
    Reference(Vec<Policy>),
}

/// Why a set of policies does not decide about a request.
#[derive(Clone, Debug)]
pub(super) enum SetError {
    /// The policies have short-hand resources, and the request's resource is of no API.
    NoApi,
    /// The policies do not compile.
    Build(BuildError),
}

impl PolicySet {
    /// Returns the set of policies from files.
    pub(super) fn of_files(
        loaded: Vec<LoadedPolicy>,
        choice: EngineChoice,
    ) -> Result<Self, Failure> {
        let policies = loaded.iter().map(|loaded| loaded.policy.clone()).collect();
        Self::with_budget(policies, choice, FILES_BUDGET)
            .map_err(|error| policies::build_failure(&error, &loaded))
    }

    /// Returns the set of the policies of an image.
    pub(super) fn of_image(engine: Engine) -> Self {
        Self(Evaluators::One(Evaluator::Compiled(Box::new(engine))))
    }

    /// Returns the set of the policies of a line, one of many sets at a time.
    pub(super) fn of_line(policies: Vec<Policy>, choice: EngineChoice) -> Result<Self, BuildError> {
        Self::with_budget(policies, choice, LINE_BUDGET)
    }

    /// Returns the set of these policies, with so many bytes for the evaluators of all APIs.
    fn with_budget(
        policies: Vec<Policy>,
        choice: EngineChoice,
        budget: u64,
    ) -> Result<Self, BuildError> {
        Ok(Self(if policies.iter().any(has_short_hand) {
            Evaluators::ByApi {
                policies,
                choice,
                built: ByApi::new(budget),
            }
        } else {
            Evaluators::One(Evaluator::new(policies, choice)?)
        }))
    }

    /// Decides about a request.
    pub(super) fn decide(&self, request: &Request<'_>) -> Result<Decision, SetError> {
        match &self.0 {
            Evaluators::One(evaluator) => Ok(evaluator.decide(request)),
            Evaluators::ByApi {
                policies,
                choice,
                built,
            } => {
                let resource = request.resource();
                let start = api_of(resource).ok_or(SetError::NoApi)?;
                let build = || {
                    let built = Api::from_arn(resource)
                        .ok_or(SetError::NoApi)
                        .and_then(|api| Evaluator::of_api(policies, &api, *choice));
                    let bytes = built.as_ref().map_or(0, Evaluator::bytes);
                    (built, bytes)
                };
                built.with(start, build, |evaluator| match evaluator {
                    Ok(evaluator) => Ok(evaluator.decide(request)),
                    Err(error) => Err(error.clone()),
                })
            }
        }
    }
}

impl Evaluator {
    fn new(policies: Vec<Policy>, choice: EngineChoice) -> Result<Self, BuildError> {
        Ok(match choice {
            EngineChoice::Reference => Self::Reference(policies),
            EngineChoice::Compiled => {
                let builder = policies
                    .into_iter()
                    .fold(Engine::builder(), |builder, policy| builder.policy(policy));
                Self::Compiled(Box::new(builder.build()?))
            }
        })
    }

    /// Returns the evaluator of `policies` for one API.
    fn of_api(policies: &[Policy], api: &Api, choice: EngineChoice) -> Result<Self, SetError> {
        let expanded = policies
            .iter()
            .map(|policy| policy.with_short_hand_expanded(api))
            .collect();
        Self::new(expanded, choice).map_err(SetError::Build)
    }

    /// Returns about how many bytes it takes.
    fn bytes(&self) -> u64 {
        match self {
            Self::Compiled(engine) => engine.inspect().total_bytes(),
            Self::Reference(policies) => {
                let texts = policies.iter().map(|policy| policy.source_text().len());
                // PERF: a list of 20,000 blocks takes about twice its text once it is parsed.
                u64::try_from(texts.sum::<usize>()).map_or(u64::MAX, |bytes| 2 * bytes)
            }
        }
    }

    fn decide(&self, request: &Request<'_>) -> Decision {
        match self {
            Self::Compiled(engine) => engine.decide(request),
            Self::Reference(policies) => reference::decide(policies, request),
        }
    }
}

/// Bytes of the evaluators of policies that are for all lines.
const FILES_BUDGET: u64 = 256 << 20;
/// Bytes of the evaluators of a line's own policies; each worker has a few such sets.
const LINE_BUDGET: u64 = 8 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_hand_belongs_to_the_api_of_each_request() {
        let text = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "execute-api:/prod/*"}}"#;
        let policy = Policy::from_json(text).unwrap();
        for choice in [EngineChoice::Compiled, EngineChoice::Reference] {
            let set = PolicySet::of_line(vec![policy.clone()], choice).unwrap();
            let decide = |resource: &str| {
                let request = Request::invoke(portcullis::Address::Absent, resource);
                set.decide(&request).ok()
            };
            // Each is built in the first round and found in the second.
            for _ in 0..2 {
                for api in 0..100 {
                    let arn = |stage| format!("arn:aws:execute-api:r:1:api{api}/{stage}/GET/");
                    assert_eq!(decide(&arn("prod")), Some(Decision::Allow));
                    assert_eq!(decide(&arn("dev")), Some(Decision::ImplicitDeny));
                }
            }
            assert_eq!(decide("arn:aws:s3:::bucket/prod/x"), None);
        }
    }
}
