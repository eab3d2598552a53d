//! [`Policy`] → text, in one canonical form that parses back to the same policy.
//!
//! Elements in the order of the documentation, one value as a scalar and several as a
//! list, prefixes without host bits, condition entries of one operator in one block.

use core::fmt;

use serde_json::{Map, Value, json};

use super::model::{Condition, Policy, PrincipalElement, PrincipalEntry, Statement, Values};

impl Policy {
    /// Returns the document as JSON on one line.
    pub fn to_json_compact(&self) -> String {
        self.to_value().to_string()
    }

    fn to_value(&self) -> Value {
        let mut document = Map::new();
        if let Some(version) = self.version {
            document.insert("Version".to_owned(), version.as_str().into());
        }
        if let Some(id) = self.id() {
            document.insert("Id".to_owned(), id.into());
        }
        let statements: Vec<Value> = self.statements.iter().map(statement).collect();
        document.insert("Statement".to_owned(), statements.into());
        Value::Object(document)
    }
}

impl fmt::Display for Policy {
    /// Writes the document as indented JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.to_value())
    }
}

fn statement(statement: &Statement) -> Value {
    let mut object = Map::new();
    let mut insert = |name: &str, value: Value| drop(object.insert(name.to_owned(), value));
    if let Some(sid) = &statement.sid {
        insert("Sid", (&*sid.value).into());
    }
    insert("Effect", statement.effect.value.as_str().into());
    if let Some(element) = &statement.principal {
        insert(
            if element.negated {
                "NotPrincipal"
            } else {
                "Principal"
            },
            principal(element),
        );
    }
    let actions = statement
        .action
        .patterns
        .iter()
        .map(|pattern| &*pattern.value);
    insert(
        if statement.action.negated {
            "NotAction"
        } else {
            "Action"
        },
        list(actions),
    );
    let resources = statement
        .resource
        .patterns
        .iter()
        .map(|pattern| pattern.value.raw());
    insert(
        if statement.resource.negated {
            "NotResource"
        } else {
            "Resource"
        },
        list(resources),
    );
    if !statement.conditions.is_empty() {
        insert("Condition", conditions(&statement.conditions));
    }
    Value::Object(object)
}

/// One value as a scalar, several as a list.
fn list<'t>(texts: impl Iterator<Item = &'t str>) -> Value {
    let mut texts: Vec<Value> = texts.map(Value::from).collect();
    match texts.pop() {
        Some(only) if texts.is_empty() => only,
        last => {
            texts.extend(last);
            texts.into()
        }
    }
}

fn principal(element: &PrincipalElement) -> Value {
    if let [entry] = &element.entries[..]
        && entry.value == PrincipalEntry::Everyone
    {
        return json!("*");
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
    let types = types
        .into_iter()
        .map(|(of, names)| (of.to_owned(), list(names.iter().map(String::as_str))));
    Value::Object(types.collect())
}

fn conditions(conditions: &[Condition]) -> Value {
    let mut operators: Map<String, Value> = Map::new();
    for condition in conditions {
        let values = match &condition.values {
            Values::Prefixes(prefixes) => {
                let texts: Vec<String> = prefixes
                    .iter()
                    .map(|prefix| prefix.value.to_string())
                    .collect();
                list(texts.iter().map(String::as_str))
            }
            Values::Texts(texts) => list(texts.iter().map(|text| text.value.raw())),
        };
        let block = operators
            .entry(condition.operator.value.to_string())
            .or_insert_with(|| json!({}));
        if let Value::Object(block) = block {
            block.insert(condition.key.value.to_string(), values);
        }
    }
    Value::Object(operators)
}
