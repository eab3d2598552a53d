//! [`Policy`] → text, in one canonical form that parses back to the same policy.
//!
//! Elements in the order of the documentation, one value as a scalar and several as a
//! list, prefixes without host bits, condition entries of one operator in one block.

use core::fmt::{self, Write};

use super::model::{Condition, Policy, PrincipalElement, PrincipalEntry, Statement, Values};

impl Policy {
    /// Returns the document as JSON on one line.
    pub fn to_json_compact(&self) -> String {
        let mut text = String::new();
        // A `String` takes whatever is written to it.
        let _ = Printer::new(&mut text, None).policy(self);
        text
    }
}

impl fmt::Display for Policy {
    /// Writes the document as indented JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printer::new(f, Some(0)).policy(self)
    }
}

/// Writes JSON. No object and no list of a policy is empty.
struct Printer<'w, W> {
    to: &'w mut W,
    /// How deep the next line is; `None` writes one line only.
    depth: Option<usize>,
    /// Whether nothing stands in the innermost container yet.
    first: bool,
}

impl<'w, W: Write> Printer<'w, W> {
    const fn new(to: &'w mut W, depth: Option<usize>) -> Self {
        Self {
            to,
            depth,
            first: true,
        }
    }

    fn policy(&mut self, policy: &Policy) -> fmt::Result {
        self.container('{', |printer| {
            if let Some(version) = policy.version {
                printer.member("Version", version.as_str())?;
            }
            if let Some(id) = policy.id() {
                printer.member("Id", id)?;
            }
            printer.key("Statement")?;
            printer.container('[', |printer| {
                policy.statements.iter().try_for_each(|statement| {
                    printer.item()?;
                    printer.statement(statement)
                })
            })
        })
    }

    fn statement(&mut self, statement: &Statement) -> fmt::Result {
        let (action, resource) = (&statement.action, &statement.resource);
        self.container('{', |printer| {
            if let Some(sid) = &statement.sid {
                printer.member("Sid", &sid.value)?;
            }
            printer.member("Effect", statement.effect.value.as_str())?;
            if let Some(element) = &statement.principal {
                printer.element("Principal", element.negated)?;
                printer.principal(element)?;
            }
            printer.element("Action", action.negated)?;
            let actions = action.patterns.iter().map(|pattern| &*pattern.value);
            printer.list(actions)?;
            printer.element("Resource", resource.negated)?;
            let resources = resource.patterns.iter().map(|pattern| pattern.value.raw());
            printer.list(resources)?;
            if statement.conditions.is_empty() {
                return Ok(());
            }
            printer.key("Condition")?;
            printer.conditions(&statement.conditions)
        })
    }

    fn principal(&mut self, element: &PrincipalElement) -> fmt::Result {
        if let [entry] = &element.entries[..]
            && entry.value == PrincipalEntry::Everyone
        {
            return self.string("*");
        }
        // Entries of one type stand together in a document, in the order of the map.
        let mut types: Vec<(&str, Vec<String>)> = Vec::new();
        for entry in &element.entries {
            let (of, name) = match &entry.value {
                PrincipalEntry::Everyone => ("AWS", "*".to_owned()),
                PrincipalEntry::Account {
                    partition: None,
                    account,
                } => ("AWS", account.to_string()),
                PrincipalEntry::Account {
                    partition: Some(partition),
                    account,
                } => ("AWS", format!("arn:{partition}:iam::{account}:root")),
                PrincipalEntry::Arn(arn) => ("AWS", arn.to_string()),
                PrincipalEntry::Service(name) => ("Service", name.to_string()),
                PrincipalEntry::Federated(name) => ("Federated", name.to_string()),
                PrincipalEntry::CanonicalUser(id) => ("CanonicalUser", id.to_string()),
            };
            match types.iter_mut().find(|(known, _)| *known == of) {
                Some((_, names)) => names.push(name),
                None => types.push((of, vec![name])),
            }
        }
        self.container('{', |printer| {
            types.iter().try_for_each(|(of, names)| {
                printer.key(of)?;
                printer.list(names.iter().map(String::as_str))
            })
        })
    }

    /// Writes the entries of one operator, which stand together in a document, as one block.
    fn conditions(&mut self, conditions: &[Condition]) -> fmt::Result {
        let blocks = conditions.chunk_by(|one, next| one.operator == next.operator);
        self.container('{', |printer| {
            for block in blocks {
                let Some(first) = block.first() else { continue };
                printer.key(&first.operator.value.to_string())?;
                printer.container('{', |printer| {
                    block.iter().try_for_each(|condition| {
                        printer.key(&condition.key.value)?;
                        printer.values(&condition.values)
                    })
                })?;
            }
            Ok(())
        })
    }

    fn values(&mut self, values: &Values) -> fmt::Result {
        match values {
            Values::Prefixes(prefixes) => {
                let texts = prefixes.iter().map(|prefix| prefix.value.to_string());
                self.list(texts)
            }
            Values::Texts(texts) => self.list(texts.iter().map(|text| text.value.raw())),
        }
    }

    /// Writes one value as a scalar, several as a list.
    fn list<T: AsRef<str>>(&mut self, mut texts: impl ExactSizeIterator<Item = T>) -> fmt::Result {
        if texts.len() == 1 {
            return texts.try_for_each(|text| self.string(text.as_ref()));
        }
        self.container('[', |printer| {
            texts.try_for_each(|text| {
                printer.item()?;
                printer.string(text.as_ref())
            })
        })
    }

    fn container(
        &mut self,
        bracket: char,
        write: impl FnOnce(&mut Self) -> fmt::Result,
    ) -> fmt::Result {
        self.to.write_char(bracket)?;
        self.depth = self.depth.map(|depth| depth + 1);
        self.first = true;
        write(self)?;
        self.depth = self.depth.map(|depth| depth - 1);
        self.first = false;
        self.line()?;
        self.to.write_char(if bracket == '{' { '}' } else { ']' })
    }

    fn element(&mut self, name: &str, negated: bool) -> fmt::Result {
        if negated {
            self.key(&format!("Not{name}"))
        } else {
            self.key(name)
        }
    }

    fn member(&mut self, key: &str, text: &str) -> fmt::Result {
        self.key(key)?;
        self.string(text)
    }

    fn key(&mut self, key: &str) -> fmt::Result {
        self.item()?;
        self.string(key)?;
        self.to
            .write_str(if self.depth.is_some() { ": " } else { ":" })
    }

    /// Begins an item or a member.
    fn item(&mut self) -> fmt::Result {
        if !self.first {
            self.to.write_char(',')?;
        }
        self.first = false;
        self.line()
    }

    fn line(&mut self) -> fmt::Result {
        match self.depth {
            Some(depth) => write!(self.to, "\n{:1$}", "", 2 * depth),
            None => Ok(()),
        }
    }

    fn string(&mut self, text: &str) -> fmt::Result {
        // For its escapes alone.
        write!(self.to, "{}", serde_json::Value::from(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Elements in the order of the documentation and keys in that of the document, whatever
    /// order maps of `serde_json` keep.
    #[test]
    fn both_forms_by_their_text() {
        let text = r#"{"Statement": {"Resource": ["*", "arn:::::\u0001\"é"], "NotAction": "*", "Effect": "Deny", "Sid": "",
            "Condition": {"Null": {"z": true, "a": ["true", "false"]}, "IpAddress": {"b": "10.1.0.0/8"}},
            "Principal": {"Service": "s", "AWS": ["*", "123456789012"]}}, "Id": "i", "Version": "2012-10-17"}"#;
        let policy = Policy::from_json(text).unwrap();
        let pretty = r#"{
  "Version": "2012-10-17",
  "Id": "i",
  "Statement": [
    {
      "Sid": "",
      "Effect": "Deny",
      "Principal": {
        "Service": "s",
        "AWS": [
          "*",
          "123456789012"
        ]
      },
      "NotAction": "*",
      "Resource": [
        "*",
        "arn:::::\u0001\"é"
      ],
      "Condition": {
        "Null": {
          "z": "true",
          "a": [
            "true",
            "false"
          ]
        },
        "IpAddress": {
          "b": "10.0.0.0/8"
        }
      }
    }
  ]
}"#;
        assert_eq!(policy.to_string(), pretty);
        let compact: String = pretty.lines().map(str::trim_start).collect();
        assert_eq!(policy.to_json_compact(), compact.replace("\": ", "\":"));
        assert_eq!(Policy::from_json(pretty), Ok(policy.clone()));
        assert_eq!(Policy::from_json(&policy.to_json_compact()), Ok(policy));
    }
}
