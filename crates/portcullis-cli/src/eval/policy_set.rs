//! Policies that decide together, and the evaluators made from them.
//!
//! Short-hand resources belong to the API of the request, so a set that has some needs an
//! evaluator for each API that is asked about. The last few are kept.

use std::sync::{Arc, Mutex, PoisonError};

use portcullis::{Api, BuildError, Decision, Engine, Policy, Request, reference};

use crate::args::EngineChoice;
use crate::failure::Failure;
use crate::policies::{self, LoadedPolicy, has_short_hand};

/// Policies that decide together.
#[derive(Debug)]
pub(super) struct PolicySet {
    choice: EngineChoice,
    evaluators: Evaluators,
}

#[derive(Debug)]
enum Evaluators {
    /// No short-hand: one for all requests.
    One(Evaluator),
    /// Short-hand: one for each API, by the start of its ARNs; the last used first.
    ByApi {
        policies: Vec<Policy>,
        recent: Mutex<Vec<(String, Arc<Evaluator>)>>,
    },
}

#[derive(Debug)]
enum Evaluator {
    Compiled(Box<Engine>),
    Reference(Vec<Policy>),
}

/// Why a set of policies does not decide about a request.
#[derive(Debug)]
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
        Self::new(policies, choice).map_err(|error| policies::build_failure(&error, &loaded))
    }

    /// Returns the set of these policies.
    pub(super) fn new(policies: Vec<Policy>, choice: EngineChoice) -> Result<Self, BuildError> {
        let evaluators = if policies.iter().any(has_short_hand) {
            Evaluators::ByApi {
                policies,
                recent: Mutex::default(),
            }
        } else {
            Evaluators::One(Evaluator::new(policies, choice)?)
        };
        Ok(Self { choice, evaluators })
    }

    /// Decides about a request.
    pub(super) fn decide(&self, request: &Request<'_>) -> Result<Decision, SetError> {
        match &self.evaluators {
            Evaluators::One(evaluator) => Ok(evaluator.decide(request)),
            Evaluators::ByApi { policies, recent } => {
                let evaluator = self.of_api(policies, recent, request.resource())?;
                Ok(evaluator.decide(request))
            }
        }
    }

    fn of_api(
        &self,
        policies: &[Policy],
        recent: &Mutex<Vec<(String, Arc<Evaluator>)>>,
        resource: &str,
    ) -> Result<Arc<Evaluator>, SetError> {
        // What another thread left when it panicked is whole: entries are only moved.
        let mut recent = recent.lock().unwrap_or_else(PoisonError::into_inner);
        // The start has the five colons and the slash that end each part, so it is that of
        // one API alone.
        let known = recent
            .iter()
            .position(|(start, _)| resource.starts_with(start.as_str()));
        if let Some(index) = known {
            if let Some(before) = recent.get_mut(..=index) {
                before.rotate_right(1);
            }
        } else {
            let api = Api::from_arn(resource).ok_or(SetError::NoApi)?;
            let expanded = policies
                .iter()
                .map(|policy| policy.with_short_hand_expanded(&api))
                .collect();
            let evaluator = Evaluator::new(expanded, self.choice).map_err(SetError::Build)?;
            recent.insert(0, (api.to_string(), Arc::new(evaluator)));
            recent.truncate(API_LIMIT);
        }
        match recent.first() {
            Some((_, evaluator)) => Ok(Arc::clone(evaluator)),
            None => Err(SetError::NoApi),
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

    fn decide(&self, request: &Request<'_>) -> Decision {
        match self {
            Self::Compiled(engine) => engine.decide(request),
            Self::Reference(policies) => reference::decide(policies, request),
        }
    }
}

/// APIs whose evaluators are kept.
const API_LIMIT: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_hand_belongs_to_the_api_of_each_request() {
        let text = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "execute-api:/prod/*"}}"#;
        let policy = Policy::from_json(text).unwrap();
        for choice in [EngineChoice::Compiled, EngineChoice::Reference] {
            let set = PolicySet::new(vec![policy.clone()], choice).unwrap();
            let decide = |resource: &str| {
                let request = Request::invoke(portcullis::Address::Absent, resource);
                set.decide(&request).ok()
            };
            // More APIs than are kept, twice round.
            for _ in 0..2 {
                for api in 0..API_LIMIT + 3 {
                    let arn = |stage| format!("arn:aws:execute-api:r:1:api{api}/{stage}/GET/");
                    assert_eq!(decide(&arn("prod")), Some(Decision::Allow));
                    assert_eq!(decide(&arn("dev")), Some(Decision::ImplicitDeny));
                }
            }
            assert_eq!(decide("arn:aws:s3:::bucket/prod/x"), None);
        }
    }
}
