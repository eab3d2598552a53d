//! Principal elements → one caller of each kind that they can tell apart.
//!
//! Entries ask a caller for its exact ARN, for its account and partition, for the role of a
//! session, or for a name under its type. So the callers listed, and for each partition and
//! account, those listed and others, a user, the root and a session of each role, are all
//! there is to tell apart; of names, those listed and another.

use super::example::Caller;
use crate::policy::PrincipalEntry;

/// Returns the callers, the most usual first; `None` where they are too many.
pub(super) fn kinds<'e>(entries: impl Iterator<Item = &'e PrincipalEntry>) -> Option<Vec<Caller>> {
    let mut seen = Seen::default();
    for entry in entries {
        seen.add(entry);
    }
    let mut callers = vec![Caller::Anonymous];
    // Stand-ins that no entry names: a listed text cannot be longer than itself.
    let fresh = |usual: &str| {
        let mut name = usual.to_owned();
        while seen
            .arns
            .iter()
            .chain(&seen.names)
            .any(|text| text.contains(&name))
        {
            name.push('x');
        }
        name
    };
    let other = fresh("alice");
    let mut accounts = seen.accounts.clone();
    let mut account = 999_999_999_999_u64;
    while accounts.contains(&account.to_string()) {
        account -= 1;
    }
    accounts.push(account.to_string());
    let mut partitions = seen.partitions.clone();
    push(&mut partitions, "aws");
    partitions.push(fresh("aws-other"));
    let mut roles = seen.roles.clone();
    roles.push(fresh("other-role"));
    if partitions.len() * accounts.len() * (roles.len() + 2) + seen.arns.len() > CALLER_LIMIT {
        return None;
    }
    callers.extend(seen.arns.iter().cloned().map(Caller::Aws));
    for partition in &partitions {
        for account in &accounts {
            callers.push(Caller::Aws(format!(
                "arn:{partition}:iam::{account}:user/{other}"
            )));
            callers.push(Caller::Aws(format!("arn:{partition}:iam::{account}:root")));
            callers.extend(roles.iter().map(|role| {
                Caller::Aws(format!(
                    "arn:{partition}:sts::{account}:assumed-role/{role}/{other}"
                ))
            }));
        }
    }
    // An ARN that is none.
    callers.push(Caller::Aws(other.clone()));
    for name in seen.names.iter().chain([&other]) {
        callers.push(Caller::Service(name.clone()));
        callers.push(Caller::Federated(name.clone()));
        callers.push(Caller::CanonicalUser(name.clone()));
    }
    Some(callers)
}

/// What the entries name.
#[derive(Debug, Default)]
struct Seen {
    arns: Vec<String>,
    partitions: Vec<String>,
    accounts: Vec<String>,
    roles: Vec<String>,
    names: Vec<String>,
}

impl Seen {
    fn add(&mut self, entry: &PrincipalEntry) {
        match entry {
            PrincipalEntry::Everyone => {}
            PrincipalEntry::Account { partition, account } => {
                push(&mut self.accounts, account);
                if let Some(partition) = partition {
                    push(&mut self.partitions, partition);
                }
            }
            PrincipalEntry::Arn(arn) => {
                push(&mut self.arns, arn);
                let fields: Vec<&str> = arn.splitn(6, ':').collect();
                if let [_, partition, _, _, account, resource] = *fields {
                    push(&mut self.partitions, partition);
                    push(&mut self.accounts, account);
                    // Of a role with its path, and of a session.
                    let mut segments = resource.split('/');
                    match segments.next() {
                        Some("role") => {
                            push(&mut self.roles, segments.next_back().unwrap_or_default())
                        }
                        Some("assumed-role") => {
                            push(&mut self.roles, segments.next().unwrap_or_default());
                        }
                        _ => {}
                    }
                }
            }
            PrincipalEntry::Service(name)
            | PrincipalEntry::Federated(name)
            | PrincipalEntry::CanonicalUser(name) => push(&mut self.names, name),
        }
    }
}

fn push(list: &mut Vec<String>, text: &str) {
    if !list.iter().any(|known| known == text) {
        list.push(text.to_owned());
    }
}

const CALLER_LIMIT: usize = 2_000;
