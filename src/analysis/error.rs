//! Why an analysis has no answer.

use core::fmt;

/// Why an analysis has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnalysisError {
    kind: AnalysisErrorKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum AnalysisErrorKind {
    ShortHand { policy: usize, resource: String },
    TooLarge { what: &'static str },
}

impl AnalysisError {
    pub(super) const fn short_hand(policy: usize, resource: String) -> Self {
        Self {
            kind: AnalysisErrorKind::ShortHand { policy, resource },
        }
    }

    pub(super) const fn too_large(what: &'static str) -> Self {
        Self {
            kind: AnalysisErrorKind::TooLarge { what },
        }
    }

    /// Returns which policy is at fault, in the order they were given, from 0.
    pub const fn policy(&self) -> Option<usize> {
        match self.kind {
            AnalysisErrorKind::ShortHand { policy, .. } => Some(policy),
            AnalysisErrorKind::TooLarge { .. } => None,
        }
    }
}

impl fmt::Display for AnalysisError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            AnalysisErrorKind::ShortHand { policy, resource } => write!(
                f,
                "policy {policy}: resource `{resource}` is short-hand: \
                 expand it for the API it belongs to, or write the full ARN"
            ),
            AnalysisErrorKind::TooLarge { what } => {
                write!(f, "the policies have too many {what} to be analysed")
            }
        }
    }
}

impl core::error::Error for AnalysisError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_place_and_the_remedy() {
        let error = AnalysisError::short_hand(1, "execute-api:/*".to_owned());
        assert_eq!(
            error.to_string(),
            "policy 1: resource `execute-api:/*` is short-hand: expand it for the API it belongs to, or write the full ARN"
        );
        assert_eq!(error.policy(), Some(1));
        let error = AnalysisError::too_large("prefix lists");
        assert_eq!(
            error.to_string(),
            "the policies have too many prefix lists to be analysed"
        );
    }
}
