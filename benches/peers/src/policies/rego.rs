//! `regorus`: statements as data, the rules compiled for its virtual machine.
//!
//! Addresses before patterns, and the virtual machine rather than the interpreter: tried
//! four ways, the best is ten times as fast as the worst.

use portcullis::Decision;
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::RegoVM;
use regorus::{Engine, Value};

use super::{Decide, Statement};
use crate::workload::Question;

const RULES: &str = r#"
package gate

import rego.v1

denied if {
    some statement in data.denies
    some net in statement.nets
    net.cidr_contains(net, input.ip)
    some pattern in statement.patterns
    glob.match(pattern, null, input.arn)
}

allowed if {
    some statement in data.allows
    some net in statement.nets
    net.cidr_contains(net, input.ip)
    some pattern in statement.patterns
    glob.match(pattern, null, input.arn)
}

decision := "deny" if denied

else := "allow" if allowed

else := "none"
"#;

const ENTRY: &str = "data.gate.decision";

pub(super) struct Rego {
    machine: RegoVM,
    inputs: Vec<Value>,
}

impl Rego {
    pub(super) fn new(statements: &[Statement], questions: &[Question]) -> Result<Self, String> {
        let patterns: usize = statements.iter().map(|s| s.patterns.len()).sum();
        // Its own cache would hold 128 patterns and compile the others anew each time.
        regorus::cache::configure(regorus::cache::Config {
            regex: 0,
            glob: patterns,
        });
        Self::build(statements, questions).map_err(|error| format!("{error:#}"))
    }

    fn build(
        statements: &[Statement],
        questions: &[Question],
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let list = |deny: bool| {
            let list = statements
                .iter()
                .filter(|s| s.deny == deny)
                .map(|statement| {
                    let nets: Vec<String> =
                        statement.nets.iter().map(ToString::to_string).collect();
                    serde_json::json!({"patterns": statement.patterns, "nets": nets})
                });
            list.collect::<Vec<_>>()
        };
        let data = serde_json::json!({"denies": list(true), "allows": list(false)});
        let mut engine = Engine::new();
        engine.add_policy("gate.rego".to_owned(), RULES.to_owned())?;
        let data = Value::from_json_str(&data.to_string())?;
        engine.add_data(data.clone())?;
        let compiled = engine.compile_with_entrypoint(&ENTRY.into())?;
        let program = Compiler::compile_from_policy(&compiled, &[ENTRY])?;
        let mut machine = RegoVM::new();
        machine.set_max_instructions(usize::MAX);
        machine.load_program(program);
        machine.set_data(data)?;
        let input = |question: &Question| {
            let ip = question.source_ip.to_string();
            let input = serde_json::json!({"arn": question.resource, "ip": ip});
            Value::from_json_str(&input.to_string())
        };
        Ok(Self {
            machine,
            inputs: questions.iter().map(input).collect::<Result<_, _>>()?,
        })
    }
}

impl Decide for Rego {
    fn decide(&mut self, at: usize) -> Decision {
        self.machine.set_input(self.inputs[at].clone());
        let value = self.machine.execute().expect("the rules have no errors");
        match value.as_string().expect("a decision is a string").as_ref() {
            "deny" => Decision::ExplicitDeny,
            "allow" => Decision::Allow,
            _ => Decision::ImplicitDeny,
        }
    }
}
