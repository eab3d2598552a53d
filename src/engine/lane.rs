//! Is a request in a lane: does it match an action element and a principal element.
//!
//! A lane is asked about by itself where there are few. Where something hangs on many, the
//! request's lanes are found once, by its caller and its action, and looked up there.

use core::cell::{Cell, OnceCell};

use crate::image::caller::{self, Arn};
use crate::image::{Action, Lane, Principal, PrincipalEntry, View};
use crate::pattern::row;
use crate::request::{self, Request};
use crate::util::extent::Extent;
use crate::util::hash;
use crate::util::int::{AsUsize, to_u32};

/// How many lanes, and elements of either kind, of one request are collected.
const FOUND: usize = 64;

/// From this many lanes on they are found rather than asked about one by one.
pub(super) const FIND_FROM: usize = 8;

/// The longest action that is looked up; a longer one is matched by every element.
const ACTION_LEN: usize = 128;

/// The lanes of one request, each asked at most once while there are few.
#[derive(Debug)]
pub(super) struct Lanes<'i, 'r> {
    image: &'i View<'i>,
    request: &'i Request<'r>,
    /// The first 64 lanes: asked already, and the answer.
    asked: Cell<u64>,
    active: Cell<u64>,
    /// All lanes of the request, or `None` where they are too many to be collected.
    found: OnceCell<Option<Found>>,
}

impl<'i, 'r> Lanes<'i, 'r> {
    #[inline]
    pub(super) const fn new(image: &'i View<'i>, request: &'i Request<'r>) -> Self {
        Self {
            image,
            request,
            asked: Cell::new(0),
            active: Cell::new(0),
            found: OnceCell::new(),
        }
    }

    /// Returns all lanes that the request is in, ascending; `None` where they are too many.
    pub(super) fn found(&self) -> Option<&[u32]> {
        let found = self.found.get_or_init(|| self.find());
        found.as_ref().map(Found::as_slice)
    }

    fn find(&self) -> Option<Found> {
        let mut lanes = Found::default();
        let mut actions = None;
        for &principal in self.find_principals()?.as_slice() {
            let element = self.image.principals.get(principal.as_usize())?;
            let of_element = element.lanes.of(self.image.lanes);
            if of_element.len() < FIND_FROM {
                for (number, lane) in (element.lanes.start..).zip(of_element) {
                    let action = self.image.actions.get(lane.action.as_usize())?;
                    if self.matches_action(action) {
                        lanes.push(number)?;
                    }
                }
                continue;
            }
            if actions.is_none() {
                actions = Some(self.find_actions()?);
            }
            for action in actions.iter().flat_map(Found::as_slice) {
                if let Ok(at) = of_element.binary_search_by_key(action, |lane| lane.action) {
                    lanes.push(element.lanes.start.checked_add(to_u32(at)?)?)?;
                }
            }
        }
        lanes.sort();
        Some(lanes)
    }

    /// Returns the principal elements that the caller matches.
    fn find_principals(&self) -> Option<Found> {
        let mut found = Found::default();
        let mut try_element = |number: u32| {
            let element = self.image.principals.get(number.as_usize())?;
            if self.matches_principal(element) {
                found.push(number)?;
            }
            Some(())
        };
        if self.image.principals_open.len() > FOUND {
            return None;
        }
        for &number in self.image.principals_open {
            try_element(number)?;
        }
        let mut look_up = |hash: u64| {
            let mut candidates = self.image.principal_table.candidates(hash);
            candidates.try_for_each(&mut try_element)
        };
        let mut look_up_name = |kind: u32, name: &str| {
            look_up(caller::name_hash(kind, name.as_bytes()))?;
            look_up(caller::name_hash(kind, b"*"))
        };
        match self.request.principal() {
            request::Principal::Anonymous => {}
            request::Principal::Service(name) => {
                look_up_name(PrincipalEntry::KIND_SERVICE, name)?;
            }
            request::Principal::Federated(name) => {
                look_up_name(PrincipalEntry::KIND_FEDERATED, name)?;
            }
            request::Principal::CanonicalUser(id) => {
                look_up_name(PrincipalEntry::KIND_CANONICAL_USER, id)?;
            }
            request::Principal::Aws(text) => {
                look_up(caller::name_hash(PrincipalEntry::KIND_ARN, text.as_bytes()))?;
                if let Some(arn) = Arn::read(text) {
                    let account = arn.account.as_bytes();
                    look_up(caller::name_hash(PrincipalEntry::KIND_ACCOUNT, account))?;
                    if let Some(role) = arn.session_role() {
                        look_up(caller::role_hash(&arn, role))?;
                    }
                }
            }
        }
        Some(found)
    }

    /// Returns the action elements that the action matches.
    fn find_actions(&self) -> Option<Found> {
        let mut found = Found::default();
        let mut try_element = |number: u32| {
            let element = self.image.actions.get(number.as_usize())?;
            if self.matches_action(element) {
                found.push(number)?;
            }
            Some(())
        };
        if self.image.actions_open.len() > FOUND {
            return None;
        }
        for &number in self.image.actions_open {
            try_element(number)?;
        }
        let action = self.request.action().as_bytes();
        let mut lower = [0; ACTION_LEN];
        let lower = lower.get_mut(..action.len())?;
        lower.copy_from_slice(action);
        lower.make_ascii_lowercase();
        let mut candidates = self.image.action_table.candidates(hash::bytes(0, lower));
        candidates.try_for_each(&mut try_element)?;
        found.sort();
        Some(found)
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
        let Some(&Lane {
            action, principal, ..
        }) = self.image.lanes.get(lane.as_usize())
        else {
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
            |program: &Extent| row::matches_ignore_case(program.of(self.image.text), action);
        element
            .programs
            .of(self.image.action_programs)
            .iter()
            .any(matches)
            != (element.negated == 1)
    }

    fn matches_principal(&self, element: &Principal) -> bool {
        let caller = self.request.principal();
        let entries = element.entries.of(self.image.principal_entries);
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
        let name = entry.name.of(self.image.text);
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
        let partition = entry.partition.of(self.image.text);
        arn.account.as_bytes() == entry.name.of(self.image.text)
            && (entry.has_partition == 0 || arn.partition.as_bytes() == partition)
    }

    /// Returns whether `NotPrincipal` of a Deny names all identities of an IAM caller: account,
    /// role of a session, and itself. A parent that is not named is denied, and with it the caller.
    fn is_exempt(&self, entries: &[PrincipalEntry], arn: &str) -> bool {
        let Some(parts) = Arn::read(arn) else {
            return false;
        };
        let text = |entry: &PrincipalEntry| entry.name.of(self.image.text);
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

/// Numbers that are collected without a heap.
#[derive(Clone, Debug)]
struct Found {
    numbers: [u32; FOUND],
    count: usize,
}

impl Default for Found {
    fn default() -> Self {
        Self {
            numbers: [0; FOUND],
            count: 0,
        }
    }
}

impl Found {
    /// Adds a number, once; `None` where there is no room.
    fn push(&mut self, number: u32) -> Option<()> {
        if !self.as_slice().contains(&number) {
            *self.numbers.get_mut(self.count)? = number;
            self.count += 1;
        }
        Some(())
    }

    fn as_slice(&self) -> &[u32] {
        self.numbers.get(..self.count).unwrap_or_default()
    }

    fn sort(&mut self) {
        if let Some(numbers) = self.numbers.get_mut(..self.count) {
            numbers.sort_unstable();
        }
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
