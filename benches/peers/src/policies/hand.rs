//! A loop over the statements, with the CIDRs parsed beforehand and grouped by family.
//!
//! The addresses come first: they are compared in a few instructions, and most statements
//! end there; patterns share a long head and are dearer. That is the faster order.

use core::net::IpAddr;

use ipnet::IpNet;
use portcullis::Decision;

use super::{Decide, Statement};
use crate::workload::Question;

struct Prepared<'a> {
    deny: bool,
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u128)>,
    patterns: &'a [String],
}

pub(super) struct Hand<'a> {
    statements: Vec<Prepared<'a>>,
    questions: &'a [Question],
}

impl<'a> Hand<'a> {
    pub(super) fn new(statements: &'a [Statement], questions: &'a [Question]) -> Self {
        let prepare = |statement: &'a Statement| {
            let (mut v4, mut v6) = (Vec::new(), Vec::new());
            for net in &statement.nets {
                match net {
                    IpNet::V4(net) => v4.push((net.network().to_bits(), net.netmask().to_bits())),
                    IpNet::V6(net) => v6.push((net.network().to_bits(), net.netmask().to_bits())),
                }
            }
            Prepared {
                deny: statement.deny,
                v4,
                v6,
                patterns: &statement.patterns,
            }
        };
        Self {
            statements: statements.iter().map(prepare).collect(),
            questions,
        }
    }
}

impl Decide for Hand<'_> {
    fn decide(&mut self, at: usize) -> Decision {
        let question = &self.questions[at];
        let resource = question.resource.as_bytes();
        let mut decision = Decision::ImplicitDeny;
        for statement in &self.statements {
            let listed = match question.source_ip {
                IpAddr::V4(ip) => {
                    let bits = ip.to_bits();
                    statement.v4.iter().any(|&(net, mask)| bits & mask == net)
                }
                IpAddr::V6(ip) => {
                    let bits = ip.to_bits();
                    statement.v6.iter().any(|&(net, mask)| bits & mask == net)
                }
            };
            if listed
                && statement
                    .patterns
                    .iter()
                    .any(|p| glob(p.as_bytes(), resource))
            {
                if statement.deny {
                    return Decision::ExplicitDeny;
                }
                decision = Decision::Allow;
            }
        }
        decision
    }
}

/// Two pointers; on a mismatch back to the last star. The texts are ASCII.
pub(crate) fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&byte) if byte == b'?' || byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match &mut star {
                Some((star_p, star_t)) => {
                    *star_t += 1;
                    (p, t) = (*star_p + 1, *star_t);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}
