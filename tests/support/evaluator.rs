//! The ways to get a decision, behind one trait, so that every suite runs them all.

use portcullis::{Config, Decision, Engine, Explanation, Policy, Request, Strategy, reference};

use super::ask::Reading;
use super::request::OwnedRequest;

/// A way to get a decision.
pub(crate) trait Evaluator {
    /// What a failure names.
    fn name(&self) -> &'static str;

    /// Makes ready to answer requests against these policies.
    fn prepare<'p>(&self, policies: &'p [Policy]) -> Box<dyn Decider + 'p>;
}

/// An evaluator made ready with its policies.
pub(crate) trait Decider {
    fn decide(&self, request: &Request<'_>) -> Decision;
    fn explain(&self, request: &Request<'_>) -> Explanation;
}

/// Every evaluator; the reference is the first.
pub(crate) const ALL: &[&dyn Evaluator] = &[
    &Reference,
    &Compiled {
        name: "compiled",
        config: Config::new,
    },
    &Compiled {
        name: "compiled, cells",
        config: || Config::new().with_strategy(Strategy::Cells),
    },
    &Compiled {
        name: "compiled, lists",
        config: || Config::new().with_strategy(Strategy::Lists),
    },
    &Compiled {
        name: "compiled, few cells",
        config: || Config::new().with_cell_budget(2),
    },
    &Compiled {
        name: "compiled, no classes",
        config: || Config::new().with_class_budget(0),
    },
    &Loaded(Compiled {
        name: "saved and loaded",
        config: Config::new,
    }),
    &Loaded(Compiled {
        name: "saved and loaded, few cells",
        config: || Config::new().with_cell_budget(2),
    }),
];

struct Reference;

struct ReferenceWith<'p>(&'p [Policy]);

impl Evaluator for Reference {
    fn name(&self) -> &'static str {
        "reference"
    }

    fn prepare<'p>(&self, policies: &'p [Policy]) -> Box<dyn Decider + 'p> {
        Box::new(ReferenceWith(policies))
    }
}

impl Decider for ReferenceWith<'_> {
    fn decide(&self, request: &Request<'_>) -> Decision {
        reference::decide(self.0, request)
    }

    fn explain(&self, request: &Request<'_>) -> Explanation {
        reference::explain(self.0, request)
    }
}

/// The engine, built one way.
struct Compiled {
    name: &'static str,
    config: fn() -> Config,
}

impl Evaluator for Compiled {
    fn name(&self) -> &'static str {
        self.name
    }

    fn prepare<'p>(&self, policies: &'p [Policy]) -> Box<dyn Decider + 'p> {
        Box::new(self.build(policies))
    }
}

impl Compiled {
    fn build(&self, policies: &[Policy]) -> Engine {
        let add = |builder: portcullis::Builder, policy: &Policy| builder.policy(policy.clone());
        let builder = policies
            .iter()
            .fold(Engine::builder(), add)
            .config((self.config)());
        match builder.build() {
            Ok(engine) => engine,
            Err(error) => panic!("{}: {error}", self.name),
        }
    }
}

/// The engine of the image of an engine.
struct Loaded(Compiled);

impl Evaluator for Loaded {
    fn name(&self) -> &'static str {
        self.0.name
    }

    fn prepare<'p>(&self, policies: &'p [Policy]) -> Box<dyn Decider + 'p> {
        let image = self.0.build(policies).image().to_vec();
        match Engine::from_image(&image) {
            Ok(engine) => Box::new(engine),
            Err(error) => panic!("{}: {error}", self.0.name),
        }
    }
}

impl Decider for Engine {
    /// Also as a batch of one, and by what every processor has, which must be the same.
    fn decide(&self, request: &Request<'_>) -> Decision {
        let decision = Self::decide(self, request);
        let least = self.with_least_instructions();
        assert_eq!(Self::decide(&least, request), decision);
        let mut batch = [Decision::Allow];
        assert_eq!(self.decide_batch(&[*request], &mut batch), 1);
        assert_eq!(batch, [decision]);
        decision
    }

    fn explain(&self, request: &Request<'_>) -> Explanation {
        Self::explain(self, request)
    }
}

/// Asks every evaluator about every request, handed over in each of these ways, and returns the
/// answers of the first.
///
/// # Errors
///
/// The first answer that differs, by evaluator and request: from the first evaluator's, in
/// decision or explanation; from the same evaluator's explanation; or between two ways to hand
/// over one request.
pub(crate) fn compare(
    policies: &[Policy],
    requests: &[OwnedRequest],
    readings: &[Reading],
) -> Result<Vec<Explanation>, String> {
    let mut expected: Vec<Explanation> = Vec::with_capacity(requests.len());
    for evaluator in ALL {
        let decider = evaluator.prepare(policies);
        for (index, request) in requests.iter().enumerate() {
            for &reading in readings {
                let (decision, explanation) = request.lend(reading, |request| {
                    (decider.decide(request), decider.explain(request))
                });
                let context = || format!("{} ({reading:?}): {request:#?}", evaluator.name());
                if decision != explanation.decision {
                    return Err(format!(
                        "decides {decision}, explains {explanation:?}: {}",
                        context()
                    ));
                }
                match expected.get(index) {
                    None => expected.push(explanation),
                    Some(first) if *first == explanation => {}
                    Some(first) => {
                        return Err(format!("{first:?} became {explanation:?}: {}", context()));
                    }
                }
            }
        }
    }
    Ok(expected)
}
