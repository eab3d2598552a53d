//! Short-hand resources: `execute-api:/stage/METHOD/path` for the ARNs of one API.
//!
//! The expansion is textual, as the service's is when a policy is saved.

use super::model::Policy;
use super::source::Span;
use crate::request::Api;

/// How a short-hand resource starts.
const SHORT_HAND: &str = "execute-api:/";

impl Policy {
    /// Returns the place of the first short-hand resource.
    pub fn short_hand(&self) -> Option<Span> {
        let mut texts = self
            .statements
            .iter()
            .flat_map(|statement| &statement.resource.patterns);
        texts
            .find(|text| text.value.raw().starts_with(SHORT_HAND))
            .map(|text| text.span)
    }

    /// Returns the policy with short-hand resources written as ARNs of `api`; places stay those of the source.
    #[must_use]
    pub fn with_short_hand_expanded(&self, api: &Api) -> Self {
        let arn = api.to_string();
        let mut policy = self.clone();
        for statement in &mut policy.statements {
            for text in &mut statement.resource.patterns {
                if text.value.raw().starts_with(SHORT_HAND) {
                    text.value = text.value.with_start_replaced(SHORT_HAND, &arn);
                }
            }
        }
        policy
    }
}
