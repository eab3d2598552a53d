//! The caller's ARN taken apart, and the hashes by which elements that name a caller are found.
//!
//! Used by the build, for what a policy lists, and by the engine, for who asks: both must
//! arrive at the same hash. A hash only finds candidates; `engine::lane` compares.

use crate::util::hash;

/// The fields of an ARN.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arn<'a> {
    pub(crate) partition: &'a str,
    service: &'a str,
    region: &'a str,
    pub(crate) account: &'a str,
    resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Reads six fields between colons; `None` where there are fewer or it is no ARN.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
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

    /// Returns whether it is an account's root.
    pub(crate) fn is_root(&self) -> bool {
        self.service == "iam" && self.region.is_empty() && self.resource == "root"
    }

    /// Returns the name, without its path, of the role that this is the ARN of.
    pub(crate) fn role(&self) -> Option<&'a str> {
        let path = self.resource.strip_prefix("role/")?;
        let name = path.rsplit('/').next().filter(|name| !name.is_empty())?;
        (self.service == "iam" && self.region.is_empty()).then_some(name)
    }

    /// Returns the name of the role that this is a session of.
    pub(crate) fn session_role(&self) -> Option<&'a str> {
        let (name, session) = self
            .resource
            .strip_prefix("assumed-role/")?
            .split_once('/')?;
        let whole = !name.is_empty() && !session.is_empty() && !session.contains('/');
        (self.service == "sts" && self.region.is_empty() && whole).then_some(name)
    }
}

/// Returns the hash of an entry of this kind and text.
pub(crate) fn name_hash(kind: u32, name: &[u8]) -> u64 {
    hash::bytes(u64::from(kind), name)
}

/// Returns the hash of a role by its name, as its sessions name it, without the role's path.
pub(crate) fn role_hash(arn: &Arn<'_>, role: &str) -> u64 {
    const KIND_ROLE: u64 = 0x726f_6c65;
    let partition = hash::bytes(KIND_ROLE, arn.partition.as_bytes());
    let account = hash::bytes(partition, arn.account.as_bytes());
    hash::bytes(account, role.as_bytes())
}
