//! A rule's address conditions → for which classes and states of a key they hold.
//!
//! All plain conditions of one rule on one key are answered together: the result
//! is a truth value for each [`Base`] state and the classes that differ from their
//! family's. `NotIpAddress` thus costs what `IpAddress` costs: the classes of its list.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::tables::Base;
use crate::decision::Effect;
use crate::prefix::PrefixSet;
use crate::prefix::classes::{Classes, Membership, OverBudget, overlay_v4, overlay_v6};
use crate::util::ids::{ClassId, Id, ListId};

/// The classes of all lists on a key.
#[derive(Debug)]
pub(super) struct Overlay {
    /// The condition key, in ASCII lower case.
    pub(super) key: Box<str>,
    pub(super) v4: Classes<u32>,
    pub(super) v6: Classes<u128>,
    /// The lists, ascending.
    ids: Vec<ListId>,
    /// Both families' memberships of each.
    members: Vec<(Membership, Membership)>,
}

impl Overlay {
    /// Overlays `ids`, a subset of `lists` in ascending order; takes its steps from `budget`.
    pub(super) fn new(
        key: &str,
        lists: &[PrefixSet],
        ids: Vec<ListId>,
        budget: &mut usize,
    ) -> Result<Self, OverBudget> {
        let used: Vec<&PrefixSet> = ids
            .iter()
            .filter_map(|id| lists.get(id.as_usize()))
            .collect();
        let (v4, members_v4) = overlay_v4(&used, budget)?;
        let (v6, mut members_v6) = overlay_v6(&used, budget)?;
        for member in &mut members_v6 {
            for class in &mut member.classes {
                let raised = class.as_u32().checked_add(v4.count).ok_or(OverBudget)?;
                *class = ClassId::from_u32(raised);
            }
        }
        Ok(Self {
            key: key.into(),
            ids,
            members: members_v4.into_iter().zip(members_v6).collect(),
            v4,
            v6,
        })
    }

    /// Returns the family of a class, numbered through both families.
    pub(super) fn base_of(&self, class: ClassId) -> Base {
        if class.as_u32() < self.v4.count {
            Base::V4
        } else {
            Base::V6
        }
    }

    /// Returns in which classes a list is, of IPv4 and of IPv6.
    fn member(&self, list: ListId) -> Option<&(Membership, Membership)> {
        self.members.get(self.ids.binary_search(&list).ok()?)
    }

    /// Returns how many steps [`Self::address_set`] takes: the classes of all lists.
    pub(super) fn steps(&self, conditions: &[AddressCondition]) -> usize {
        let members = conditions.iter().filter_map(|c| self.member(c.list));
        let classes = members.map(|(v4, v6)| v4.classes.len() + v6.classes.len());
        // Each class is looked up in each list where there are several.
        classes.sum::<usize>().saturating_mul(conditions.len())
    }

    /// Returns for which addresses all of `conditions` hold, in a rule of this effect.
    pub(super) fn address_set(
        &self,
        conditions: &[AddressCondition],
        effect: Effect,
    ) -> AddressSet<'_> {
        let conditions: SmallVec<[Known<'_>; 1]> = conditions
            .iter()
            .map(|&condition| (condition, self.member(condition.list)))
            .collect();
        let holds = |base: Base| conditions.iter().all(|c| base_holds(c, base, effect));
        let base = Base::ALL.map(holds);
        let members = conditions.iter().filter_map(|c| c.1);
        let classes = members.flat_map(|(v4, v6)| v4.classes.iter().chain(&v6.classes));
        let flips = match &*conditions {
            [] => Cow::default(),
            // One condition alone holds in the classes of its list exactly if it does not outside.
            [(_, only)] => match only {
                Some((v4, v6)) if v6.classes.is_empty() => v4.classes.as_slice().into(),
                Some((v4, v6)) if v4.classes.is_empty() => v6.classes.as_slice().into(),
                _ => classes.copied().collect(),
            },
            _ => {
                let mut flips: Vec<ClassId> = classes.copied().collect();
                flips.sort_unstable();
                flips.dedup();
                flips.retain(|&class| {
                    let holds = conditions.iter().all(|c| self.class_holds(c, class));
                    let elsewhere = base.get(self.base_of(class).index());
                    holds != elsewhere.copied().unwrap_or_default()
                });
                flips.into()
            }
        };
        AddressSet { base, flips }
    }

    fn class_holds(&self, (condition, member): &Known<'_>, class: ClassId) -> bool {
        let Some((v4, v6)) = member else {
            return condition.negated;
        };
        let member = match self.base_of(class) {
            Base::V4 => v4,
            _ => v6,
        };
        let inside = member.whole || member.classes.binary_search(&class).is_ok();
        inside != condition.negated
    }
}

/// A condition with the classes of its list, of IPv4 and of IPv6.
type Known<'o> = (AddressCondition, Option<&'o (Membership, Membership)>);

fn base_holds((condition, member): &Known<'_>, base: Base, effect: Effect) -> bool {
    let negated = condition.negated;
    let whole = member.map(|(v4, v6)| (v4.whole, v6.whole));
    let (whole_v4, whole_v6) = whole.unwrap_or_default();
    match base {
        Base::V4 => whole_v4 != negated,
        Base::V6 => whole_v6 != negated,
        Base::Absent => condition.if_exists || negated,
        Base::Unreadable => effect == Effect::Deny,
        Base::Several => negated,
    }
}

/// A plain `IpAddress` or `NotIpAddress` condition on a key with classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct AddressCondition {
    pub(super) list: ListId,
    pub(super) negated: bool,
    pub(super) if_exists: bool,
}

/// Where a rule's address conditions hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AddressSet<'o> {
    /// Outside of the classes of `flips`, by [`Base::index`].
    pub(super) base: [bool; Base::COUNT],
    /// The classes whose answer is not their family's, each once.
    pub(super) flips: Cow<'o, [ClassId]>,
}

/// Every address, and every state of the key.
pub(super) static EVERYWHERE: AddressSet<'_> = AddressSet {
    base: [true; Base::COUNT],
    flips: Cow::Borrowed(&[]),
};

impl AddressSet<'_> {
    /// Returns whether it holds in this state, of a family outside of the flipped classes.
    pub(super) fn holds_elsewhere(&self, state: Base) -> bool {
        self.base.get(state.index()).copied().unwrap_or_default()
    }

    /// Returns whether it holds in flipped classes only, of the addresses.
    pub(super) fn is_exceptional(&self) -> bool {
        !self.holds_elsewhere(Base::V4) && !self.holds_elsewhere(Base::V6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlay(lists: &[&[&str]]) -> Overlay {
        let sets: Vec<PrefixSet> = lists
            .iter()
            .map(|l| PrefixSet::new(l.iter().map(|p| p.parse().unwrap())))
            .collect();
        let ids: Vec<ListId> = (0..sets.len()).map(|i| ListId::new(i).unwrap()).collect();
        Overlay::new("aws:sourceip", &sets, ids, &mut 1000).unwrap()
    }

    fn condition(list: u32, negated: bool, if_exists: bool) -> AddressCondition {
        AddressCondition {
            list: ListId::from_u32(list),
            negated,
            if_exists,
        }
    }

    fn classes(ids: &[u32]) -> Cow<'static, [ClassId]> {
        ids.iter().map(|&id| ClassId::from_u32(id)).collect()
    }

    #[test]
    fn no_condition_holds_everywhere() {
        let o = overlay(&[]);
        let set = o.address_set(&[], Effect::Allow);
        assert_eq!(
            set,
            AddressSet {
                base: [true; 5],
                flips: Cow::default()
            }
        );
    }

    #[test]
    fn states_of_the_key_by_operator_and_effect() {
        let o = overlay(&[&["10.0.0.0/8", "2001:db8::/32"]]);
        let of = |c, effect| o.address_set(&[c], effect);
        // Order: IPv4 elsewhere, IPv6 elsewhere, absent, unreadable, several.
        let positive = of(condition(0, false, false), Effect::Allow);
        assert_eq!(
            positive,
            AddressSet {
                base: [false; 5],
                flips: classes(&[1, 3])
            }
        );
        let negated = of(condition(0, true, false), Effect::Deny);
        assert_eq!(
            negated,
            AddressSet {
                base: [true; 5],
                flips: classes(&[1, 3])
            }
        );
        let if_exists = of(condition(0, false, true), Effect::Deny).base;
        assert_eq!(if_exists, [false, false, true, true, false]);
        let negated_allow = of(condition(0, true, true), Effect::Allow).base;
        assert_eq!(negated_allow, [true, true, true, false, true]);
    }

    #[test]
    fn two_conditions_hold_where_both_do() {
        let o = overlay(&[&["10.0.0.0/8"], &["10.1.0.0/16"], &["0.0.0.0/0"]]);
        let both = [condition(0, false, false), condition(1, true, false)];
        let set = o.address_set(&both, Effect::Allow);
        assert_eq!(set.flips, classes(&[1]), "in the /8 and not in the /16");
        let with_whole = [condition(2, false, false), condition(1, true, false)];
        let set = o.address_set(&with_whole, Effect::Allow);
        assert_eq!(
            (set.base, set.flips),
            ([true, false, false, false, false], classes(&[2]))
        );
        let nothing = [condition(0, false, false), condition(0, true, false)];
        let set = o.address_set(&nothing, Effect::Deny);
        assert_eq!(
            (set.base, set.flips),
            ([false, false, false, true, false], classes(&[]))
        );
    }
}
