//! Callers: `"*"`, or a map from their type to their names.

use super::{Path, Reader};
use crate::policy::error::Quoted;
use crate::policy::json::{Json, Value};
use crate::policy::model::{Located, PrincipalEntry};

/// The keys of a principal map.
const TYPES: [&str; 4] = ["AWS", "Service", "Federated", "CanonicalUser"];

impl Reader<'_> {
    /// Reads the value of `Principal` or `NotPrincipal`.
    pub(super) fn principal_entries(
        &mut self,
        path: &Path<'_>,
        json: Json<'_>,
    ) -> Option<Vec<Located<PrincipalEntry>>> {
        let members = match json.value() {
            Value::String("*") => {
                return Some(vec![Located::new(PrincipalEntry::Everyone, json.span())]);
            }
            Value::Object(members) => members,
            Value::String("") => {
                let help = "write `\"*\"` for everyone, or `{\"AWS\": \"…\"}`".to_owned();
                self.fault(path, json.span(), "an empty text is no principal", help);
                return None;
            }
            Value::String(text) => {
                let message = format!("{} is no principal", Quoted(text));
                let help = format!("write `\"*\"` or `{{\"AWS\": {text:?}}}`");
                let help = if text.len() > 100 {
                    "write `\"*\"` or `{\"AWS\": \"…\"}`".to_owned()
                } else {
                    help
                };
                self.fault(path, json.span(), message, help);
                return None;
            }
            _ => {
                let message = format!(
                    "a principal is `\"*\"` or an object, not {}",
                    json.type_name()
                );
                self.fault(
                    path,
                    json.span(),
                    message,
                    "write `{\"AWS\": […]}`".to_owned(),
                );
                return None;
            }
        };
        if members.is_empty() {
            let help = "write `\"*\"` for everyone, or `{\"AWS\": \"…\"}`".to_owned();
            self.fault(
                path,
                json.span(),
                "the principal is empty: it names nobody",
                help,
            );
            return None;
        }
        let before = self.faults.len() + self.suppressed;
        let mut entries = Vec::new();
        for (name, span, json, _) in self.distinct(path, members) {
            let path = Path::Key(path, name);
            if !TYPES.contains(&name) {
                self.unknown(&path, span, name, &TYPES, "type of principal");
            }
            let of_type = self.list(&path, json, |reader, path, json| {
                reader.principal_entry(path, name, json)
            });
            entries.extend(of_type.into_iter().flatten());
        }
        (before == self.faults.len() + self.suppressed).then_some(entries)
    }

    fn principal_entry(
        &mut self,
        path: &Path<'_>,
        of: &str,
        json: Json<'_>,
    ) -> Option<Located<PrincipalEntry>> {
        let text = self.string(path, json)?;
        let name = &*text.value;
        let (message, help) = if name.is_empty() {
            (
                "an empty text is no principal".to_owned(),
                "name a caller, or write `*` for all",
            )
        } else if self.variables && name.contains("${") {
            (
                format!(
                    "{} has a policy variable, which principals do not take",
                    Quoted(name)
                ),
                "compare `aws:PrincipalArn` in a condition instead",
            )
        } else if name != "*" && name.contains(['*', '?']) {
            (
                format!(
                    "{} has a wildcard, which principals do not take",
                    Quoted(name)
                ),
                "write a lone `*`, or compare `aws:PrincipalArn` with `ArnLike` in a condition",
            )
        } else {
            let entry = match of {
                "Service" => Some(PrincipalEntry::Service(name.into())),
                "Federated" => Some(PrincipalEntry::Federated(name.into())),
                "CanonicalUser" => Some(PrincipalEntry::CanonicalUser(name.into())),
                "AWS" => aws(name),
                // The type has been told.
                _ => return None,
            };
            match entry {
                Some(entry) => return Some(Located::new(entry, text.span)),
                None => (
                    format!("{} is neither an account nor an ARN", Quoted(name)),
                    "write `*`, an account's twelve digits, or an ARN such as `arn:aws:iam::123456789012:user/alice`",
                ),
            }
        };
        self.fault(path, text.span, message, help.to_owned());
        None
    }
}

/// Reads what stands under `AWS`.
fn aws(name: &str) -> Option<PrincipalEntry> {
    let is_account =
        |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if name == "*" {
        return Some(PrincipalEntry::Everyone);
    }
    if is_account(name) {
        return Some(PrincipalEntry::Account {
            partition: None,
            account: name.into(),
        });
    }
    let mut fields = name.splitn(6, ':');
    let mut field = || fields.next();
    let (scheme, partition, service) = (field()?, field()?, field()?);
    let (region, account, resource) = (field()?, field()?, field()?);
    if scheme != "arn" || partition.is_empty() || resource.is_empty() {
        return None;
    }
    if service == "iam" && region.is_empty() && resource == "root" && is_account(account) {
        return Some(PrincipalEntry::Account {
            partition: Some(partition.into()),
            account: account.into(),
        });
    }
    Some(PrincipalEntry::Arn(name.into()))
}
