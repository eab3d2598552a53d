//! How guards lie to one another: one holds where another does, both hold nowhere together.
//!
//! A yes is a proof for all requests; where the elements do not tell, the answer is no. What
//! is left open costs `solve` a guard more to look at, and no answer.

use super::{Actions, Guard, Place, Table, WhoKind};
use crate::analysis::globs::Glob;
use crate::policy::Operator;

impl Table {
    /// Returns whether every request for which `narrow` holds is one for which `wide` does.
    ///
    /// `false` where that is not known.
    pub(in crate::analysis) fn covers(&self, wide: &Guard, narrow: &Guard) -> bool {
        (wide.conditions.iter()).all(|condition| narrow.conditions.contains(condition))
            && self.who_covers(wide.who, narrow.who)
            && self.action_covers(wide.action, narrow.action)
            && self.place_covers(&wide.resource, &narrow.resource)
    }

    /// Returns whether there is no request for which both hold; `false` where that is not known.
    pub(in crate::analysis) fn are_disjoint(&self, one: &Guard, other: &Guard) -> bool {
        self.places_disjoint(&one.resource, &other.resource)
            || self.whos_disjoint(one.who, other.who)
            || self.actions_disjoint(one.action, other.action)
            || (one.conditions.iter())
                .any(|c| (other.conditions.iter()).any(|d| self.are_opposite(*c, *d)))
    }

    pub(in crate::analysis) fn who_covers(&self, wide: u32, narrow: u32) -> bool {
        if wide == narrow {
            return true;
        }
        let (Some((wide, _)), Some((narrow, _))) = (self.who(wide), self.who(narrow)) else {
            return false;
        };
        match (wide.kind, narrow.kind) {
            (WhoKind::Everyone, _) | (_, WhoKind::Nobody) => true,
            (WhoKind::Listed, WhoKind::Listed) => narrow.is_in(wide),
            (WhoKind::NotListed, WhoKind::NotListed) | (WhoKind::NotExempt, WhoKind::NotExempt) => {
                wide.is_in(narrow)
            }
            // Who is not listed is exempt even less.
            (WhoKind::NotExempt, WhoKind::NotListed) => wide.is_in(narrow),
            _ => false,
        }
    }

    fn whos_disjoint(&self, one: u32, other: u32) -> bool {
        let (Some((one, _)), Some((other, _))) = (self.who(one), self.who(other)) else {
            return false;
        };
        match (one.kind, other.kind) {
            (WhoKind::Nobody, _) | (_, WhoKind::Nobody) => true,
            (WhoKind::Listed, WhoKind::NotListed) => one.is_in(other),
            (WhoKind::NotListed, WhoKind::Listed) => other.is_in(one),
            _ => false,
        }
    }

    pub(in crate::analysis) fn action_covers(&self, wide: u32, narrow: u32) -> bool {
        if wide == narrow {
            return true;
        }
        let (Some((wide, _)), Some((narrow, _))) = (self.action(wide), self.action(narrow)) else {
            return false;
        };
        let holds = |glob: &Glob, list: &[Glob]| list.iter().any(|other| other.covers(glob));
        match (wide.negated, narrow.negated) {
            (false, false) => narrow
                .patterns
                .iter()
                .all(|glob| holds(glob, &wide.patterns)),
            (true, true) => wide
                .patterns
                .iter()
                .all(|glob| holds(glob, &narrow.patterns)),
            (false, true) => wide.patterns.iter().any(Glob::is_any),
            (true, false) => (wide.patterns.iter())
                .all(|glob| narrow.patterns.iter().all(|other| glob.is_disjoint(other))),
        }
    }

    fn actions_disjoint(&self, one: u32, other: u32) -> bool {
        if one == other {
            return false;
        }
        let (Some((one, _)), Some((other, _))) = (self.action(one), self.action(other)) else {
            return false;
        };
        let inside = |list: &Actions, of: &Actions| {
            (list.patterns.iter()).all(|glob| of.patterns.iter().any(|wide| wide.covers(glob)))
        };
        match (one.negated, other.negated) {
            (false, false) => (one.patterns.iter())
                .all(|glob| other.patterns.iter().all(|other| glob.is_disjoint(other))),
            (false, true) => inside(one, other),
            (true, false) => inside(other, one),
            (true, true) => false,
        }
    }

    pub(in crate::analysis) fn place_covers(&self, wide: &Place, narrow: &Place) -> bool {
        if wide == narrow {
            return true;
        }
        let covers = |wide: u32, narrow: u32| self.pattern_covers(wide, narrow);
        match (wide, narrow) {
            (Place::In(wide), Place::In(narrow)) => covers(*wide, *narrow),
            (Place::In(wide), Place::NotIn(_)) => {
                (self.pattern(*wide)).is_some_and(|(pattern, _)| pattern.is_any())
            }
            (Place::NotIn(wide), Place::In(narrow)) => wide
                .iter()
                .all(|wide| self.patterns_disjoint(*wide, *narrow)),
            (Place::NotIn(wide), Place::NotIn(narrow)) => {
                (wide.iter()).all(|wide| narrow.iter().any(|narrow| covers(*narrow, *wide)))
            }
        }
    }

    pub(in crate::analysis) fn places_disjoint(&self, one: &Place, other: &Place) -> bool {
        match (one, other) {
            (Place::In(one), Place::In(other)) => self.patterns_disjoint(*one, *other),
            (Place::In(one), Place::NotIn(list)) | (Place::NotIn(list), Place::In(one)) => {
                list.iter().any(|wide| self.pattern_covers(*wide, *one))
            }
            (Place::NotIn(one), Place::NotIn(other)) => (one.iter().chain(other)).any(|id| {
                self.pattern(*id)
                    .is_some_and(|(pattern, _)| pattern.is_any())
            }),
        }
    }

    /// A pattern with variables is told from others by its text alone, as the wider one.
    fn pattern_covers(&self, wide: u32, narrow: u32) -> bool {
        if wide == narrow {
            return true;
        }
        let (Some((wide, _)), Some((narrow, _))) = (self.pattern(wide), self.pattern(narrow))
        else {
            return false;
        };
        wide.variable.is_none() && wide.glob.covers(&narrow.glob)
    }

    fn patterns_disjoint(&self, one: u32, other: u32) -> bool {
        let (Some((one, _)), Some((other, _))) = (self.pattern(one), self.pattern(other)) else {
            return false;
        };
        one.glob.is_disjoint(&other.glob)
    }

    /// Returns whether of two conditions exactly one holds, whatever the request.
    pub(in crate::analysis) fn are_opposite(&self, one: u32, other: u32) -> bool {
        let (Some((one, _)), Some((other, _))) =
            (self.conditions.get(one), self.conditions.get(other))
        else {
            return false;
        };
        if one.key != other.key {
            return false;
        }
        let (a, b) = (one.operator, other.operator);
        if a.qualifier.is_some() || b.qualifier.is_some() || a.if_exists || b.if_exists {
            return false;
        }
        if a.operator == Operator::Null && b.operator == Operator::Null {
            return one.values != other.values;
        }
        one.values == other.values && opposite(a.operator) == Some(b.operator)
    }
}

/// Returns the operator that holds exactly where `operator` does not, for every request.
const fn opposite(operator: Operator) -> Option<Operator> {
    Some(match operator {
        Operator::StringEquals => Operator::StringNotEquals,
        Operator::StringNotEquals => Operator::StringEquals,
        Operator::StringEqualsIgnoreCase => Operator::StringNotEqualsIgnoreCase,
        Operator::StringNotEqualsIgnoreCase => Operator::StringEqualsIgnoreCase,
        Operator::StringLike => Operator::StringNotLike,
        Operator::StringNotLike => Operator::StringLike,
        Operator::NumericEquals => Operator::NumericNotEquals,
        Operator::NumericNotEquals => Operator::NumericEquals,
        Operator::DateEquals => Operator::DateNotEquals,
        Operator::DateNotEquals => Operator::DateEquals,
        // `ArnLike` and `ArnEquals` are one, and are brought to one form.
        Operator::ArnEquals | Operator::ArnLike => Operator::ArnNotEquals,
        Operator::ArnNotEquals | Operator::ArnNotLike => Operator::ArnEquals,
        _ => return None,
    })
}
