//! Any bytes: the parser answers, and what it accepts prints and parses back to the same,
//! in either layout.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis::policy::{Layout, ParseOptions};
use portcullis::{Api, Policy};

fuzz_target!(|bytes: &[u8]| {
    match Policy::from_json_bytes(bytes, &ParseOptions::default()) {
        Err(error) => {
            for fault in error.faults() {
                assert!(fault.position().line >= 1 && fault.position().column >= 1);
                assert!(!fault.message().is_empty());
            }
            assert!(!error.to_string().contains('\n'));
        }
        Ok(policy) => {
            let printed = policy.to_string();
            let read = Policy::from_json(&printed).expect("a printed policy parses");
            assert_eq!(policy, read);
            assert_eq!(printed, read.to_string());
            let layout = Layout::default();
            let formatted = policy.formatted_source(&layout);
            let read = Policy::from_json(&formatted).expect("a formatted policy parses");
            assert_eq!(policy, read);
            assert_eq!(formatted, read.formatted_source(&layout));
            let api = Api::new("aws", "r", "1", "x").expect("plain parts");
            let expanded = policy.with_short_hand_expanded(&api);
            assert!(expanded.short_hand().is_none());
        }
    }
});
