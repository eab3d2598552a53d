//! The ways to get a decision, behind one trait, so that every suite runs them all.

use portcullis::{Decision, Explanation, Policy, Request, reference};

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
///
/// A compiled engine goes here, one line for each strategy it can be forced to.
pub(crate) const ALL: &[&dyn Evaluator] = &[&Reference];

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

/// Asks every evaluator about every request and returns the answers of the first.
///
/// # Errors
///
/// The first answer that differs, by evaluator and request: from the first evaluator's, in
/// decision or explanation; from the same evaluator's explanation; or between two ways to hand
/// over one request.
pub(crate) fn compare(
    policies: &[Policy],
    requests: &[OwnedRequest],
) -> Result<Vec<Explanation>, String> {
    let mut expected: Vec<Explanation> = Vec::with_capacity(requests.len());
    for evaluator in ALL {
        let decider = evaluator.prepare(policies);
        for (index, request) in requests.iter().enumerate() {
            for reading in Reading::ALL {
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
