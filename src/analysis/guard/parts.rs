//! Conditions of a statement → what they ask of `aws:SourceIp`, and what is left to ask.
//!
//! ```text
//! NotIpAddress aws:SourceIp L, Bool b        not L, absent, several        [Bool b]
//! ForAnyValue:IpAddress aws:SourceIp L       L                             []
//!                                            several                       [ForAnyValue …]
//! ```

use crate::analysis::line::{AddressSet, States};
use crate::decision::Effect;
use crate::policy::{Condition, Operator, Qualifier, Statement, Values};

/// The states of `aws:SourceIp` in which a statement asks for the same further conditions.
#[derive(Debug)]
pub(super) struct Part<'p> {
    pub(super) conditions: Vec<&'p Condition>,
    pub(super) addresses: AddressSet,
}

/// Returns the parts of a statement: none where it can never match, two where the conditions
/// that several addresses must meet are not those of one.
pub(super) fn parts(statement: &Statement) -> Vec<Part<'_>> {
    let mut asked = Asked {
        is_deny: statement.effect.value == Effect::Deny,
        residual: Vec::new(),
        qualified: Vec::new(),
        addresses: None,
        states: States::ALL,
    };
    for condition in &statement.conditions {
        let operator = condition.operator.value;
        match operator
            .qualifier
            .filter(|_| operator.operator == Operator::Null)
        {
            // With these `Null` always holds, and never.
            Some(Qualifier::ForAllValues) => continue,
            Some(Qualifier::ForAnyValue) => return Vec::new(),
            None => asked.take(condition),
        }
    }
    asked.into_parts()
}

/// What the conditions read so far ask for.
struct Asked<'p> {
    is_deny: bool,
    residual: Vec<&'p Condition>,
    /// Those with a set qualifier on addresses, which several may or may not meet.
    qualified: Vec<&'p Condition>,
    /// `None` while any address will do.
    addresses: Option<AddressSet>,
    states: States,
}

impl<'p> Asked<'p> {
    fn take(&mut self, condition: &'p Condition) {
        let is_null = condition.operator.value.operator == Operator::Null;
        let is_source_ip = condition.key.value.eq_ignore_ascii_case("aws:SourceIp");
        match &condition.values {
            Values::Texts(_) if is_null && asks_for(condition, "true") => {
                if asks_for(condition, "false") {
                    // Missing or not, it holds.
                } else if is_source_ip {
                    self.addresses = Some(AddressSet::default());
                    self.states = self.states.only(States::ABSENT);
                } else {
                    self.residual.push(condition);
                }
            }
            Values::Texts(_) if is_null && is_source_ip => self.refuse(States::ABSENT),
            Values::Prefixes(list) if is_source_ip => {
                self.take_list(condition, AddressSet::of_list(list));
            }
            Values::Prefixes(_) | Values::Texts(_) => self.residual.push(condition),
        }
    }

    fn take_list(&mut self, condition: &'p Condition, listed: AddressSet) {
        let operator = condition.operator.value;
        let is_negated = operator.operator.is_negated();
        let wanted = if is_negated {
            listed.complement(States::NONE)
        } else {
            listed
        };
        self.addresses = Some(match &self.addresses {
            None => wanted,
            Some(before) => before.intersection(&wanted),
        });
        let holds_for_none = match operator.qualifier {
            _ if operator.if_exists => true,
            Some(qualifier) => qualifier == Qualifier::ForAllValues,
            None => is_negated,
        };
        if !holds_for_none {
            self.refuse(States::ABSENT);
        }
        if !self.is_deny {
            self.refuse(States::UNREADABLE);
        }
        if operator.qualifier.is_some() {
            self.qualified.push(condition);
        } else if !is_negated {
            self.refuse(States::SEVERAL);
        }
    }

    fn refuse(&mut self, state: States) {
        self.states = self.states.without(state);
    }

    fn into_parts(self) -> Vec<Part<'p>> {
        let addresses = self.addresses.unwrap_or_else(AddressSet::all);
        if self.qualified.is_empty() || !self.states.contains(States::SEVERAL) {
            return vec![Part {
                conditions: self.residual,
                addresses: addresses.with_states(self.states),
            }];
        }
        let mut of_several = self.residual.clone();
        of_several.extend(self.qualified);
        vec![
            Part {
                conditions: self.residual,
                addresses: addresses.with_states(self.states.without(States::SEVERAL)),
            },
            Part {
                conditions: of_several,
                addresses: AddressSet::of_states(States::SEVERAL),
            },
        ]
    }
}

/// Returns whether this is among the texts of a condition.
fn asks_for(condition: &Condition, wanted: &str) -> bool {
    match &condition.values {
        Values::Texts(texts) => texts.iter().any(|text| text.value.raw() == wanted),
        Values::Prefixes(_) => false,
    }
}
