//! Is a request in a lane: does it match an action element and a principal element.

use core::cell::Cell;

use crate::image::{Action, Image, Lane, Principal, PrincipalEntry};
use crate::pattern::glob;
use crate::request::{self, Request};
use crate::util::extent::Extent;
use crate::util::int::AsUsize;

/// The lanes of one request, each asked at most once while there are few.
#[derive(Debug)]
pub(super) struct Lanes<'i, 'r> {
    image: &'i Image,
    request: &'i Request<'r>,
    /// The first 64 lanes: asked already, and the answer.
    asked: Cell<u64>,
    active: Cell<u64>,
}

impl<'i, 'r> Lanes<'i, 'r> {
    #[inline]
    pub(super) const fn new(image: &'i Image, request: &'i Request<'r>) -> Self {
        Self {
            image,
            request,
            asked: Cell::new(0),
            active: Cell::new(0),
        }
    }

    /// Returns whether the request is in the lane.
    #[inline]
    pub(super) fn contains(&self, lane: u32) -> bool {
        let Some(bit) = 1_u64.checked_shl(lane) else {
            return self.ask(lane);
        };
        if self.asked.get() & bit == 0 {
            self.asked.set(self.asked.get() | bit);
            if self.ask(lane) {
                self.active.set(self.active.get() | bit);
            }
        }
        self.active.get() & bit != 0
    }

    fn ask(&self, lane: u32) -> bool {
        let Some(&Lane { action, principal }) = self.image.lanes.get(lane.as_usize()) else {
            return false;
        };
        let action = self.image.actions.get(action.as_usize());
        let principal = self.image.principals.get(principal.as_usize());
        principal.is_some_and(|principal| self.matches_principal(principal))
            && action.is_some_and(|action| self.matches_action(action))
    }

    fn matches_action(&self, element: &Action) -> bool {
        let action = self.request.action();
        if action == Request::INVOKE {
            return element.matches_invoke == 1;
        }
        let matches =
            |program: &Extent| glob::matches_ignore_case(program.of(&self.image.text), action);
        element
            .programs
            .of(&self.image.action_programs)
            .iter()
            .any(matches)
            != (element.negated == 1)
    }

    fn matches_principal(&self, element: &Principal) -> bool {
        let caller = self.request.principal();
        let entries = element.entries.of(&self.image.principal_entries);
        let named = || entries.iter().any(|entry| self.names(entry, caller));
        match element.mode {
            Principal::MODE_EVERYONE => true,
            Principal::MODE_LISTED => named(),
            Principal::MODE_NOT_LISTED => !named(),
            Principal::MODE_NOT_EXEMPT => match caller {
                request::Principal::Aws(arn) => !self.is_exempt(entries, arn),
                _ => !named(),
            },
            _ => false,
        }
    }

    /// Returns whether an entry names the caller.
    fn names(&self, entry: &PrincipalEntry, caller: request::Principal<'_>) -> bool {
        let name = entry.name.of(&self.image.text);
        let is_or_any = |text: &str| name == b"*" || name == text.as_bytes();
        match (entry.kind, caller) {
            (PrincipalEntry::KIND_ACCOUNT, request::Principal::Aws(arn)) => {
                self.names_account(entry, arn)
            }
            (PrincipalEntry::KIND_ARN, request::Principal::Aws(arn)) => {
                name == arn.as_bytes() || is_session_of(name, arn)
            }
            (PrincipalEntry::KIND_SERVICE, request::Principal::Service(text))
            | (PrincipalEntry::KIND_FEDERATED, request::Principal::Federated(text))
            | (PrincipalEntry::KIND_CANONICAL_USER, request::Principal::CanonicalUser(text)) => {
                is_or_any(text)
            }
            _ => false,
        }
    }

    fn names_account(&self, entry: &PrincipalEntry, arn: &str) -> bool {
        let Some(arn) = Arn::read(arn) else {
            return false;
        };
        let partition = entry.partition.of(&self.image.text);
        arn.account.as_bytes() == entry.name.of(&self.image.text)
            && (entry.has_partition == 0 || arn.partition.as_bytes() == partition)
    }

    /// Returns whether `NotPrincipal` of a Deny names all identities of an IAM caller: account,
    /// role of a session, and itself. A parent that is not named is denied, and with it the caller.
    fn is_exempt(&self, entries: &[PrincipalEntry], arn: &str) -> bool {
        let Some(parts) = Arn::read(arn) else {
            return false;
        };
        let text = |entry: &PrincipalEntry| entry.name.of(&self.image.text);
        let mut arns = entries
            .iter()
            .filter(|entry| entry.kind == PrincipalEntry::KIND_ARN);
        let account = |entry: &PrincipalEntry| {
            entry.kind == PrincipalEntry::KIND_ACCOUNT && self.names_account(entry, arn)
        };
        entries.iter().any(account)
            && (parts.session_role().is_none()
                || arns.clone().any(|entry| is_session_of(text(entry), arn)))
            && (parts.is_root() || arns.any(|entry| text(entry) == arn.as_bytes()))
    }
}

/// The fields of an ARN.
struct Arn<'a> {
    partition: &'a str,
    service: &'a str,
    region: &'a str,
    account: &'a str,
    resource: &'a str,
}

impl<'a> Arn<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut fields = text.strip_prefix("arn:")?.splitn(5, ':');
        let mut field = || fields.next();
        let (partition, service, region) = (field()?, field()?, field()?);
        let (account, resource) = (field()?, field()?);
        Some(Self {
            partition,
            service,
            region,
            account,
            resource,
        })
    }

    fn is_root(&self) -> bool {
        self.service == "iam" && self.region.is_empty() && self.resource == "root"
    }

    /// Returns the name, without its path, of the role that this is the ARN of.
    fn role(&self) -> Option<&'a str> {
        let path = self.resource.strip_prefix("role/")?;
        let name = path.rsplit('/').next().filter(|name| !name.is_empty())?;
        (self.service == "iam" && self.region.is_empty()).then_some(name)
    }

    /// Returns the name of the role that this is a session of.
    fn session_role(&self) -> Option<&'a str> {
        let (name, session) = self
            .resource
            .strip_prefix("assumed-role/")?
            .split_once('/')?;
        let whole = !name.is_empty() && !session.is_empty() && !session.contains('/');
        (self.service == "sts" && self.region.is_empty() && whole).then_some(name)
    }
}

/// Returns whether `caller` is a session of the role with the ARN `role`.
///
/// A role's path is not part of its sessions' ARNs.
fn is_session_of(role: &[u8], caller: &str) -> bool {
    let role = core::str::from_utf8(role).ok().and_then(Arn::read);
    let (Some(role), Some(caller)) = (role, Arn::read(caller)) else {
        return false;
    };
    let name = role.role();
    name.is_some()
        && name == caller.session_role()
        && role.partition == caller.partition
        && role.account == caller.account
}
