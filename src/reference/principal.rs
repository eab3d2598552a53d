//! Principals: whether `Principal` or `NotPrincipal` matches the caller.
//!
//! Names and ARNs are compared as they stand, case and all; only a lone `*` is a
//! wildcard. A caller is listed when one entry, of any kind, names it. `NotPrincipal`
//! is the reverse in an Allow, but in a Deny a caller is spared only when the list names
//! every identity it acts as: the account, the role and the session.

use crate::decision::Effect;
use crate::policy::{PrincipalElement, PrincipalEntry};
use crate::request::Principal;

/// Principal forms: returns whether the element of a statement with `effect` matches `caller`.
pub(super) fn matches(element: &PrincipalElement, effect: Effect, caller: Principal<'_>) -> bool {
    match (element.negated, effect) {
        (false, _) => is_listed(element, caller),
        (true, Effect::Allow) => !is_listed(element, caller),
        (true, Effect::Deny) => !is_exempt(element, caller),
    }
}

/// Several entries: one that names the caller is enough.
fn is_listed(element: &PrincipalElement, caller: Principal<'_>) -> bool {
    (element.entries.iter()).any(|entry| names(&entry.value, caller))
}

/// `NotPrincipal` in a Deny: the evaluation may check account, then role, then session, and
/// denies where one of them is not listed.
fn is_exempt(element: &PrincipalElement, caller: Principal<'_>) -> bool {
    let lists = |wanted: &dyn Fn(&PrincipalEntry) -> bool| {
        element.entries.iter().any(|entry| wanted(&entry.value))
    };
    if lists(&|entry| *entry == PrincipalEntry::Everyone) {
        return true;
    }
    let Principal::Aws(text) = caller else {
        return is_listed(element, caller);
    };
    let Some(arn) = Arn::read(text) else {
        return false;
    };
    let account = lists(&|entry| names_account(entry, arn));
    let role = lists(&|entry| names_role_of(entry, arn));
    let itself = lists(&|entry| names_exactly(entry, text));
    if arn.is_root() {
        account
    } else if arn.session_role().is_some() {
        account && role && itself
    } else {
        account && itself
    }
}

/// Principal forms: returns whether one entry names the caller.
///
/// An anonymous caller is named by `*` alone.
fn names(entry: &PrincipalEntry, caller: Principal<'_>) -> bool {
    match (entry, caller) {
        (PrincipalEntry::Everyone, _) => true,
        (_, Principal::Anonymous) => false,
        (_, Principal::Aws(text)) => {
            names_exactly(entry, text)
                || Arn::read(text)
                    .is_some_and(|arn| names_account(entry, arn) || names_role_of(entry, arn))
        }
        (PrincipalEntry::Service(listed), Principal::Service(name))
        | (PrincipalEntry::Federated(listed), Principal::Federated(name))
        | (PrincipalEntry::CanonicalUser(listed), Principal::CanonicalUser(name)) => {
            &**listed == "*" || **listed == *name
        }
        _ => false,
    }
}

/// `arn:aws:iam::A:user/U`, a session's own ARN and the like: exactly this caller.
fn names_exactly(entry: &PrincipalEntry, caller: &str) -> bool {
    matches!(entry, PrincipalEntry::Arn(listed) if **listed == *caller)
}

/// `123456789012` and `arn:aws:iam::123456789012:root`: every caller of the account.
fn names_account(entry: &PrincipalEntry, caller: Arn<'_>) -> bool {
    let PrincipalEntry::Account { partition, account } = entry else {
        return false;
    };
    **account == *caller.account
        && (partition.as_ref()).is_none_or(|partition| **partition == *caller.partition)
}

/// `arn:aws:iam::A:role/path/R`: every session of the role, whose ARN has the role's name without its path.
fn names_role_of(entry: &PrincipalEntry, caller: Arn<'_>) -> bool {
    let PrincipalEntry::Arn(listed) = entry else {
        return false;
    };
    let (Some(listed), Some(role)) = (Arn::read(listed), caller.session_role()) else {
        return false;
    };
    listed.partition == caller.partition
        && listed.account == caller.account
        && listed.role() == Some(role)
}

/// The six fields of an ARN.
#[derive(Clone, Copy)]
struct Arn<'a> {
    partition: &'a str,
    service: &'a str,
    region: &'a str,
    account: &'a str,
    resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Reads `arn:partition:service:region:account:resource`; the last may hold further colons.
    fn read(text: &'a str) -> Option<Self> {
        let fields: Vec<&str> = text.splitn(6, ':').collect();
        let [scheme, partition, service, region, account, resource] = *fields else {
            return None;
        };
        (scheme == "arn").then_some(Self {
            partition,
            service,
            region,
            account,
            resource,
        })
    }

    /// Returns whether this is `arn:P:iam::A:root`.
    fn is_root(self) -> bool {
        self.is_of("iam") && self.resource == "root"
    }

    /// Returns `R` of `arn:P:iam::A:role/path/R`.
    fn role(self) -> Option<&'a str> {
        let segments: Vec<&str> = self.resource.split('/').collect();
        match *segments {
            ["role", .., name] if self.is_of("iam") && !name.is_empty() => Some(name),
            _ => None,
        }
    }

    /// Returns `R` of `arn:P:sts::A:assumed-role/R/session`.
    fn session_role(self) -> Option<&'a str> {
        let segments: Vec<&str> = self.resource.split('/').collect();
        match *segments {
            ["assumed-role", name, session]
                if self.is_of("sts") && !name.is_empty() && !session.is_empty() =>
            {
                Some(name)
            }
            _ => None,
        }
    }

    /// Returns whether this is of `service`, one without regions.
    fn is_of(self, service: &str) -> bool {
        self.service == service && self.region.is_empty()
    }
}
