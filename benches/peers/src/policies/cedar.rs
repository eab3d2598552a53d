//! `cedar-policy`: a policy for each statement, address and ARN in the request's context.

use core::fmt::Write;

use cedar_policy::{
    Authorizer, Context, Entities, EntityUid, PolicySet, Request, RestrictedExpression,
};
use portcullis::Decision;

use super::{Decide, Statement, decision};
use crate::workload::Question;

pub(super) struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
    requests: Vec<Request>,
}

impl Cedar {
    pub(super) fn new(statements: &[Statement], questions: &[Question]) -> Result<Self, String> {
        let mut text = String::new();
        for statement in statements {
            let effect = if statement.deny { "forbid" } else { "permit" };
            let nets = statement
                .nets
                .iter()
                .map(|net| format!(r#"context.ip.isInRange(ip("{net}"))"#));
            let arns = statement
                .patterns
                .iter()
                .map(|p| format!(r#"context.arn like "{p}""#));
            let any = |parts: Vec<String>| parts.join(" || ");
            writeln!(
                text,
                r#"{effect}(principal, action == Action::"Invoke", resource) when {{ ({}) && ({}) }};"#,
                any(arns.collect()),
                any(nets.collect())
            )
            .map_err(|error| error.to_string())?;
        }
        let policies: PolicySet = text.parse().map_err(|error| format!("{error}"))?;
        let uid = |text: &str| text.parse::<EntityUid>().map_err(|error| error.to_string());
        let request = |question: &Question| {
            let context = Context::from_pairs([
                (
                    "ip".to_owned(),
                    RestrictedExpression::new_ip(question.source_ip.to_string()),
                ),
                (
                    "arn".to_owned(),
                    RestrictedExpression::new_string(question.resource.clone()),
                ),
            ])
            .map_err(|error| error.to_string())?;
            let (caller, action) = (uid(r#"User::"alice""#)?, uid(r#"Action::"Invoke""#)?);
            let api = uid(r#"Api::"pets""#)?;
            Request::new(caller, action, api, context, None).map_err(|error| error.to_string())
        };
        Ok(Self {
            authorizer: Authorizer::new(),
            policies,
            entities: Entities::empty(),
            requests: questions
                .iter()
                .map(request)
                .collect::<Result<_, String>>()?,
        })
    }
}

impl Decide for Cedar {
    fn decide(&mut self, at: usize) -> Decision {
        let response =
            self.authorizer
                .is_authorized(&self.requests[at], &self.policies, &self.entities);
        let allowed = response.decision() == cedar_policy::Decision::Allow;
        let has_reason = response.diagnostics().reason().next().is_some();
        decision(!allowed && has_reason, || allowed)
    }
}
