//! Condition operators and their names, which are accepted in exact case only.

use core::fmt;

/// A condition operator with its set qualifier and suffix, such as `ForAnyValue:StringLikeIfExists`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConditionOperator {
    /// `ForAllValues:` or `ForAnyValue:`.
    pub qualifier: Option<Qualifier>,
    /// The operator itself.
    pub operator: Operator,
    /// Whether it ends in `IfExists`; never with [`Operator::Null`].
    pub if_exists: bool,
}

impl ConditionOperator {
    /// Returns the operator with this name, or `None` where there is none (case counts).
    pub fn from_name(name: &str) -> Option<Self> {
        let (qualifier, rest) = Qualifier::ALL
            .iter()
            .find_map(|&q| Some((Some(q), name.strip_prefix(q.as_str())?.strip_prefix(':')?)))
            .unwrap_or((None, name));
        let (base, if_exists) = match rest.strip_suffix("IfExists") {
            Some(base) => (base, true),
            None => (rest, false),
        };
        let operator = Operator::from_name(base)?;
        if if_exists && operator == Operator::Null {
            return None;
        }
        Some(Self {
            qualifier,
            operator,
            if_exists,
        })
    }
}

impl fmt::Display for ConditionOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(qualifier) = self.qualifier {
            write!(f, "{}:", qualifier.as_str())?;
        }
        f.write_str(self.operator.as_str())?;
        f.write_str(if self.if_exists { "IfExists" } else { "" })
    }
}

/// How an operator reads a key with several values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Qualifier {
    /// Every value in the request must satisfy the operator; true where there is none.
    ForAllValues,
    /// Some value in the request must satisfy the operator; false where there is none.
    ForAnyValue,
}

impl Qualifier {
    /// Both qualifiers.
    pub const ALL: [Self; 2] = [Self::ForAllValues, Self::ForAnyValue];

    /// Returns the spelling, without the colon.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ForAllValues => "ForAllValues",
            Self::ForAnyValue => "ForAnyValue",
        }
    }
}

/// The type that an operator compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperatorFamily {
    /// Text.
    String,
    /// Integers and decimals.
    Numeric,
    /// Dates and times.
    Date,
    /// `true` and `false`.
    Bool,
    /// Base64.
    Binary,
    /// Addresses and prefixes.
    Ip,
    /// ARNs, by component.
    Arn,
    /// Presence.
    Null,
}

macro_rules! operators {
    ($($name:ident => $family:ident, negated = $negated:literal;)+) => {
        /// A condition operator without qualifier and suffix.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "the variants are the names of the policy language")]
        pub enum Operator { $($name,)+ }

        impl Operator {
            /// Every operator, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Returns the operator's name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// Returns the operator with this name, or `None` where there is none (case counts).
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $(stringify!($name) => Some(Self::$name),)+ _ => None }
            }

            /// Returns what the operator compares.
            pub const fn family(self) -> OperatorFamily {
                match self { $(Self::$name => OperatorFamily::$family,)+ }
            }

            /// Returns whether the operator holds when *no* value matches, and so for a missing key.
            pub const fn is_negated(self) -> bool {
                match self { $(Self::$name => $negated,)+ }
            }
        }
    };
}

operators! {
    StringEquals => String, negated = false;
    StringNotEquals => String, negated = true;
    StringEqualsIgnoreCase => String, negated = false;
    StringNotEqualsIgnoreCase => String, negated = true;
    StringLike => String, negated = false;
    StringNotLike => String, negated = true;
    NumericEquals => Numeric, negated = false;
    NumericNotEquals => Numeric, negated = true;
    NumericLessThan => Numeric, negated = false;
    NumericLessThanEquals => Numeric, negated = false;
    NumericGreaterThan => Numeric, negated = false;
    NumericGreaterThanEquals => Numeric, negated = false;
    DateEquals => Date, negated = false;
    DateNotEquals => Date, negated = true;
    DateLessThan => Date, negated = false;
    DateLessThanEquals => Date, negated = false;
    DateGreaterThan => Date, negated = false;
    DateGreaterThanEquals => Date, negated = false;
    Bool => Bool, negated = false;
    BinaryEquals => Binary, negated = false;
    IpAddress => Ip, negated = false;
    NotIpAddress => Ip, negated = true;
    ArnEquals => Arn, negated = false;
    ArnLike => Arn, negated = false;
    ArnNotEquals => Arn, negated = true;
    ArnNotLike => Arn, negated = true;
    Null => Null, negated = false;
}

impl Operator {
    /// Returns whether values may hold policy variables: string, ARN and `Bool` operators.
    pub const fn takes_variables(self) -> bool {
        matches!(
            self.family(),
            OperatorFamily::String | OperatorFamily::Arn | OperatorFamily::Bool
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for &operator in Operator::ALL {
            for qualifier in [
                None,
                Some(Qualifier::ForAllValues),
                Some(Qualifier::ForAnyValue),
            ] {
                for if_exists in [false, true] {
                    let written = ConditionOperator {
                        qualifier,
                        operator,
                        if_exists,
                    };
                    let read = ConditionOperator::from_name(&written.to_string());
                    let legal = !(if_exists && operator == Operator::Null);
                    assert_eq!(read, legal.then_some(written), "{written}");
                }
            }
        }
    }

    #[test]
    fn case_and_unknown_names_are_refused() {
        for name in [
            "ipAddress",
            "IPAddress",
            "StringEqual",
            "",
            "IfExists",
            "ForAnyValue:",
            "ForAnyValue:ForAllValues:Bool",
            "NullIfExists",
            "BinaryNotEquals",
        ] {
            assert_eq!(ConditionOperator::from_name(name), None, "{name}");
        }
    }
}
