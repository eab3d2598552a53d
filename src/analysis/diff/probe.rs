//! Guards and their elements as policies of one statement, to be asked of the reference evaluator.

use crate::analysis::guard::{Guard, Place, Table, WhoKind};
use crate::decision::{Decision, Effect};
use crate::policy::{
    Action, Condition, Located, Operator, OperatorFamily, Policy, PrincipalElement, Resource, Span,
    Statement, Text,
};
use crate::reference;
use crate::request::Request;

/// One statement; holds for a request exactly if the statement matches it.
#[derive(Clone, Debug)]
pub(super) struct Probe {
    policy: Policy,
}

impl Probe {
    /// Returns whether the statement matches.
    pub(super) fn holds(&self, request: &Request<'_>) -> bool {
        reference::decide(core::slice::from_ref(&self.policy), request) != Decision::ImplicitDeny
    }

    pub(super) fn statement(&self) -> Option<&Statement> {
        self.policy.statements().first()
    }
}

/// Makes probes in the shape of some policy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prober<'t> {
    pub(super) table: &'t Table,
    pub(super) model: &'t Policy,
}

impl Prober<'_> {
    /// Returns the probe of a statement with these elements; `None` asks nothing.
    pub(super) fn probe(
        &self,
        effect: Effect,
        principal: Option<PrincipalElement>,
        action: Option<Action>,
        resource: Option<Resource>,
        conditions: Vec<Condition>,
    ) -> Probe {
        let span = Span::default();
        let statement = Statement {
            span,
            sid: None,
            effect: Located::new(effect, span),
            principal,
            action: action.unwrap_or_else(|| Action {
                negated: false,
                span,
                patterns: vec![Located::new("*".into(), span)],
            }),
            resource: resource.unwrap_or_else(|| Resource {
                negated: false,
                span,
                patterns: vec![Located::new(Text::plain("*"), span)],
            }),
            conditions,
        };
        Probe {
            policy: self.model.with_statements(vec![statement]),
        }
    }

    /// Returns the probe of a whole guard.
    pub(super) fn guard(&self, guard: &Guard) -> Probe {
        self.probe(
            effect(guard),
            self.principal(guard.who),
            self.action(guard.action),
            Some(self.resource(core::slice::from_ref(&guard.resource))),
            self.conditions(&guard.conditions),
        )
    }

    pub(super) fn who(&self, who: u32) -> Probe {
        let exempts = (self.table.who(who)).is_some_and(|(who, _)| who.kind == WhoKind::NotExempt);
        let effect = if exempts { Effect::Deny } else { Effect::Allow };
        self.probe(effect, self.principal(who), None, None, Vec::new())
    }

    pub(super) fn condition(&self, id: u32, effect: Effect) -> Probe {
        self.probe(effect, None, None, None, self.conditions(&[id]))
    }

    pub(super) fn principal(&self, who: u32) -> Option<PrincipalElement> {
        self.table
            .who(who)
            .and_then(|(_, written)| written.cloned())
    }

    pub(super) fn action(&self, action: u32) -> Option<Action> {
        (self.table.action(action)).map(|(_, written)| written.clone())
    }

    /// Returns the element that any of `places` satisfies; more than one are patterns of `Resource`.
    pub(super) fn resource(&self, places: &[Place]) -> Resource {
        let mut negated = false;
        let mut patterns = Vec::new();
        for place in places {
            let ids = match place {
                Place::In(id) => core::slice::from_ref(id),
                Place::NotIn(ids) => {
                    negated = true;
                    ids
                }
            };
            let texts = ids.iter().filter_map(|id| self.table.pattern(*id));
            patterns.extend(texts.map(|(_, text)| text.clone()));
        }
        Resource {
            negated,
            span: Span::default(),
            patterns,
        }
    }

    pub(super) fn conditions(&self, ids: &[u32]) -> Vec<Condition> {
        (ids.iter())
            .filter_map(|id| self.table.condition(*id))
            .cloned()
            .collect()
    }

    /// Returns whether a condition holds otherwise in a Deny than in an Allow.
    pub(super) fn is_of_addresses(&self, id: u32) -> bool {
        self.table.condition(id).is_some_and(|condition| {
            Operator::family(condition.operator.value.operator) == OperatorFamily::Ip
        })
    }
}

pub(super) const fn effect(guard: &Guard) -> Effect {
    if guard.is_deny {
        Effect::Deny
    } else {
        Effect::Allow
    }
}
