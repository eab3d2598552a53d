//! Policies and requests: every engine decides and explains as the reference does.
#![no_main]

use arbitrary::Unstructured;
use libfuzzer_sys::{Corpus, fuzz_target};
use portcullis::Policy;
use portcullis_fuzz::{compare, engines, policy, question};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let mut u = Unstructured::new(bytes);
    let mut policies = Vec::new();
    for _ in 0..=u.int_in_range(0..=1).unwrap_or(0) {
        let Ok(document) = policy(&mut u) else {
            return Corpus::Reject;
        };
        match Policy::from_json(&document.to_string()) {
            Ok(policy) => policies.push(policy),
            Err(_) => return Corpus::Reject,
        }
    }
    let engines = engines(&policies);
    for _ in 0..8 {
        let Ok(question) = question(&mut u) else {
            return Corpus::Reject;
        };
        compare(&policies, &engines, &question);
        if u.is_empty() {
            break;
        }
    }
    Corpus::Keep
});
