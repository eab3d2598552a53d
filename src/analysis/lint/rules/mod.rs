//! The rules, one file a family.

mod addresses;
mod callers;
mod document;
mod families;
mod keys;
mod lists;
mod missing;
mod resources;

use super::rule::Rule;

/// Every rule, in the order of the documentation.
pub(super) static RULES: [Rule; 33] = [
    addresses::DUPLICATE,
    addresses::SHADOWED,
    addresses::HOST_BITS,
    addresses::PRIVATE,
    families::IPV4_ONLY,
    families::IPV6_LET_IN,
    families::ANY_IPV4,
    lists::ALLOW_ONLY,
    lists::PRIVATE_API,
    lists::DENY_LISTS,
    missing::DENY_KEY,
    missing::DENY_SOURCE_IP,
    missing::FOR_ALL_VALUES,
    missing::ALLOW_IF_EXISTS,
    keys::TEXT_ON_ADDRESS,
    keys::ADDRESS_ON_TEXT,
    keys::UNKNOWN,
    keys::SHORT_ARN,
    keys::BOTH_BOOLS,
    keys::VARIABLE_2008,
    callers::NEEDS_IAM,
    callers::NOT_PRINCIPAL_ALLOW,
    callers::NOT_PRINCIPAL_DENY,
    resources::NO_METHOD,
    resources::NO_STAGE,
    resources::CASE,
    resources::COLON,
    resources::WIDE_STAR,
    resources::WITHOUT_OPTIONS,
    document::NO_ALLOW,
    document::TOO_LONG,
    document::SID,
    document::DEAD,
];

/// Rules whose findings are about the policy as much as about the statement; the first is told.
pub(super) const ONCE: &[&str] = &[
    families::IPV4_ONLY.id,
    lists::ALLOW_ONLY.id,
    missing::DENY_SOURCE_IP.id,
    callers::NEEDS_IAM.id,
    resources::WIDE_STAR.id,
    resources::WITHOUT_OPTIONS.id,
];
