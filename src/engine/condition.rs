//! Does a condition hold for a request.
//!
//! An operator asks a request value whether *some* value of the policy matches it; its
//! negation asks whether *none* does. Around that stand the rules for keys that are
//! absent or have several values, which are the same for every type.

use core::cmp::Ordering;

use super::context::{self, Addresses, Texts};
use super::template::Template;
use crate::image::keys::value_hash;
use crate::image::{Condition, EFFECT_DENY, View};
use crate::policy::value::{Number, read_date};
use crate::policy::{Operator, OperatorFamily};
use crate::prefix::ranges;
use crate::request::{Address, Request};
use crate::util::extent::Extent;
use crate::util::ids::Id;
use crate::util::int::AsUsize;

/// Returns whether the condition with this index holds, in a rule of this effect.
pub(super) fn holds(image: &View<'_>, request: &Request<'_>, index: u32, effect: u32) -> bool {
    // A condition that the image does not hold must not open the door.
    let Some(condition) = image.conditions.get(index.as_usize()) else {
        return effect == EFFECT_DENY;
    };
    let Some(&operator) = Operator::ALL.get(condition.operator.as_usize()) else {
        return effect == EFFECT_DENY;
    };
    let key = text(image, condition.key);
    let test = Test {
        image,
        request,
        index,
        condition,
        operator,
    };
    match operator.family() {
        OperatorFamily::Ip => test.address(context::addresses(request, key), effect),
        OperatorFamily::Null => test.null(context::texts(request, key)),
        _ => test.text(context::texts(request, key)),
    }
}

/// Returns bytes of the image that are text.
#[inline]
pub(super) fn text<'i>(image: &View<'i>, extent: Extent) -> &'i str {
    core::str::from_utf8(extent.of(image.text)).unwrap_or_default()
}

/// How an operator reads values.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quantifier {
    Plain,
    ForAllValues,
    ForAnyValue,
}

struct Test<'i, 'r> {
    image: &'i View<'i>,
    request: &'i Request<'r>,
    index: u32,
    condition: &'i Condition,
    operator: Operator,
}

impl Test<'_, '_> {
    const fn quantifier(&self) -> Quantifier {
        match self.condition.qualifier {
            0 => Quantifier::Plain,
            1 => Quantifier::ForAllValues,
            _ => Quantifier::ForAnyValue,
        }
    }

    /// The key is absent.
    fn absent(&self) -> bool {
        self.condition.if_exists == 1
            || match self.quantifier() {
                Quantifier::Plain => self.operator.is_negated(),
                Quantifier::ForAllValues => true,
                Quantifier::ForAnyValue => false,
            }
    }

    /// The key has several values, each of which holds or not.
    fn several(&self, mut held: impl Iterator<Item = bool>) -> bool {
        match self.quantifier() {
            Quantifier::Plain => self.operator.is_negated(),
            Quantifier::ForAllValues => held.all(|holds| holds),
            Quantifier::ForAnyValue => held.any(|holds| holds),
        }
    }

    fn address(&self, value: Addresses<'_>, effect: u32) -> bool {
        let list = self
            .image
            .lists
            .get(self.condition.list.as_usize())
            .copied()
            .unwrap_or_default();
        let (v4, v6) = (
            list.v4.of(self.image.ranges_v4),
            list.v6.of(self.image.ranges_v6),
        );
        let negated = self.operator.is_negated();
        match value {
            Addresses::Absent => self.absent(),
            Addresses::Unreadable => effect == EFFECT_DENY,
            Addresses::One(ip) => ranges::contains_ip(v4, v6, ip) != negated,
            Addresses::Several(values) => {
                self.several(values.iter().map(|value| match Address::read(value) {
                    Address::Known(ip) => ranges::contains_ip(v4, v6, ip) != negated,
                    Address::Absent | Address::Unreadable(_) => effect == EFFECT_DENY,
                }))
            }
        }
    }

    fn null(&self, value: Texts<'_>) -> bool {
        let absent = matches!(value, Texts::Absent);
        let asked = if absent {
            b"true".as_slice()
        } else {
            b"false".as_slice()
        };
        match self.quantifier() {
            Quantifier::Plain => self.values().any(|parts| match parts.of(self.image.parts) {
                [part] => part.bytes.of(self.image.text) == asked,
                _ => false,
            }),
            Quantifier::ForAllValues => true,
            Quantifier::ForAnyValue => false,
        }
    }

    fn text(&self, value: Texts<'_>) -> bool {
        let holds = |value: &str| self.matches(value) != self.operator.is_negated();
        match value {
            Texts::Absent => self.absent(),
            Texts::One(text) => holds(text.as_str()),
            Texts::Several(list) => self.several(list.iter().map(|text| holds(text.as_str()))),
        }
    }

    fn values(&self) -> impl Iterator<Item = Extent> {
        self.condition.values.of(self.image.values).iter().copied()
    }

    /// Returns whether some value of the policy matches `value`, the operator read without its negation.
    fn matches(&self, value: &str) -> bool {
        let indexed = self.condition.indexed.as_usize();
        if indexed > 0 && self.is_indexed(value) {
            return true;
        }
        let any = |matches: fn(&Template<'_>, &str) -> bool| {
            self.values().skip(indexed).any(|parts| {
                Template::with(self.image, self.request, parts, |policy| {
                    matches(policy, value)
                })
            })
        };
        match self.operator {
            Operator::StringEquals | Operator::StringNotEquals => {
                any(|policy, value| policy.equals(value))
            }
            Operator::StringEqualsIgnoreCase | Operator::StringNotEqualsIgnoreCase => {
                any(|policy, value| policy.equals_ignore_case(value))
            }
            Operator::StringLike | Operator::StringNotLike => {
                any(|policy, value| policy.matches(value))
            }
            Operator::ArnEquals
            | Operator::ArnLike
            | Operator::ArnNotEquals
            | Operator::ArnNotLike => any(|policy, value| policy.matches_arn(value)),
            // Both are `true` or `false` exactly, so equal texts are equal values.
            Operator::Bool => {
                matches!(value, "true" | "false") && any(|policy, value| policy.equals(value))
            }
            // Canonical base64: equal bytes are equal texts, and the policy's are valid.
            Operator::BinaryEquals => any(|policy, value| policy.equals(value)),
            Operator::NumericEquals | Operator::NumericNotEquals => {
                self.number(value, Ordering::is_eq)
            }
            Operator::NumericLessThan => self.number(value, Ordering::is_lt),
            Operator::NumericLessThanEquals => self.number(value, Ordering::is_le),
            Operator::NumericGreaterThan => self.number(value, Ordering::is_gt),
            Operator::NumericGreaterThanEquals => self.number(value, Ordering::is_ge),
            Operator::DateEquals | Operator::DateNotEquals => self.date(value, Ordering::is_eq),
            Operator::DateLessThan => self.date(value, Ordering::is_lt),
            Operator::DateLessThanEquals => self.date(value, Ordering::is_le),
            Operator::DateGreaterThan => self.date(value, Ordering::is_gt),
            Operator::DateGreaterThanEquals => self.date(value, Ordering::is_ge),
            // Answered before.
            Operator::IpAddress | Operator::NotIpAddress | Operator::Null => false,
        }
    }

    /// Returns whether `value` is one of the values that are found by hash.
    fn is_indexed(&self, value: &str) -> bool {
        let hash = value_hash(self.index, value.as_bytes());
        let equals = |at: u32| {
            let parts = self.image.values.get(at.as_usize()).copied();
            parts.and_then(|parts| self.literal(parts)) == Some(value)
        };
        self.image.value_table.candidates(hash).any(equals)
    }

    fn number(&self, value: &str, holds: fn(Ordering) -> bool) -> bool {
        let Some(value) = Number::read(value) else {
            return false;
        };
        let policy = |parts| Number::read(self.literal(parts)?);
        self.values()
            .filter_map(policy)
            .any(|policy| holds(value.compare(&policy)))
    }

    fn date(&self, value: &str, holds: fn(Ordering) -> bool) -> bool {
        let Some(value) = read_date(value) else {
            return false;
        };
        let policy = |parts| read_date(self.literal(parts)?);
        self.values()
            .filter_map(policy)
            .any(|policy| holds(value.cmp(&policy)))
    }

    /// Returns a value without variables.
    fn literal(&self, parts: Extent) -> Option<&str> {
        match parts.of(self.image.parts) {
            [part] => Some(text(self.image, part.bytes)),
            _ => None,
        }
    }
}
