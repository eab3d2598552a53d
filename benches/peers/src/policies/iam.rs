//! `iam-rs`: takes the policy as it is.

use iam_rs::{
    Arn, Context, ContextValue, EvaluationOptions, IAMPolicy, IAMRequest, PolicyEvaluator,
    Principal, PrincipalId,
};
use portcullis::Decision;

use super::Decide;
use crate::workload::Question;

pub(super) struct Iam {
    evaluator: PolicyEvaluator,
    requests: Vec<IAMRequest>,
}

impl Iam {
    pub(super) fn new(json: &str, size: u64, questions: &[Question]) -> Result<Self, String> {
        let policy: IAMPolicy = serde_json::from_str(json).map_err(|error| error.to_string())?;
        let options = EvaluationOptions {
            max_statements: size as usize,
            ..EvaluationOptions::default()
        };
        // Nobody in particular; there is no anonymous caller, and the statements are for everyone.
        let caller = PrincipalId::String("arn:aws:iam::123456789012:user/alice".to_owned());
        let request = |question: &Question| {
            let ip = ContextValue::String(question.source_ip.to_string());
            let mut context = Context::new();
            context.insert("aws:SourceIp".to_owned(), ip);
            let arn = Arn::parse(&question.resource).map_err(|error| error.to_string())?;
            let caller = Principal::Aws(caller.clone());
            Ok(IAMRequest::new_with_context(
                caller,
                "execute-api:Invoke",
                arn,
                context,
            ))
        };
        Ok(Self {
            evaluator: PolicyEvaluator::with_policies(vec![policy]).with_options(options),
            requests: questions
                .iter()
                .map(request)
                .collect::<Result<_, String>>()?,
        })
    }
}

impl Decide for Iam {
    fn decide(&mut self, at: usize) -> Decision {
        let result = self.evaluator.evaluate(&self.requests[at]);
        match result.map(|result| result.decision) {
            Ok(iam_rs::Decision::Allow) => Decision::Allow,
            Ok(iam_rs::Decision::Deny) => Decision::ExplicitDeny,
            Ok(iam_rs::Decision::NotApplicable) | Err(_) => Decision::ImplicitDeny,
        }
    }
}
