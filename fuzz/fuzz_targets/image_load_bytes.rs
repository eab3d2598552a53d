//! Bytes: they load as an image or fail; what loads decides, and explains the same.
//!
//! The first byte chooses: the bytes as they are; with header and checksums made right, so
//! that what stands behind the checksums is reached; or as changes of one of some whole images, six
//! bytes each: where, and which word to put there.
#![no_main]

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use portcullis::{Address, Decision, Engine, Policy, Principal, Request, Value};

/// Images to be changed: one with something in every table but those of most look-ups, and one for
/// each shape of a look-up that lists of a few thousand prefixes can have.
static WHOLE: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let half = || vec!["0.0.0.0/1".to_owned()];
    let lists = [
        ("quads by block", vec![v4(0x0151_2345, 200)]),
        ("steps by block", vec![v4(0x0000_0200, 200), half()]),
        ("cells", vec![v4(0x0000_0200, 5_000)]),
        ("sorted run", vec![v6(0x0151_2345, 20)]),
        ("steps by block", vec![v6(0x0151_2345, 200)]),
        ("lines by block", vec![v6(0x0000_0200, 2_000)]),
    ];
    let by_lists = lists.map(|(shape, lists)| {
        let statement = |list: Vec<String>| {
            serde_json::json!({
                "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
                "Condition": {"IpAddress": {"aws:SourceIp": list}},
            })
        };
        let statements: Vec<_> = lists.into_iter().map(statement).collect();
        let image = image(&serde_json::json!({"Statement": statements}).to_string());
        let engine = Engine::from_image(&image).expect("what was made just now");
        let inspection = engine.inspect().to_string();
        assert!(inspection.contains(shape), "{shape}: {inspection}");
        image
    });
    let every_table = image(include_str!("../../tests/support/every_table.json"));
    [every_table].into_iter().chain(by_lists).collect()
});

fn image(policy: &str) -> Vec<u8> {
    let policy = Policy::from_json(policy).expect("the test data parses");
    let engine = Engine::builder().policy(policy).build();
    engine.expect("the test data builds").image().to_vec()
}

/// A list of `count` networks so far apart.
fn v4(step: u32, count: u32) -> Vec<String> {
    let address = |at: u32| Ipv4Addr::from_bits(at.wrapping_mul(step) & !0xff);
    (0..count).map(|at| format!("{}/24", address(at))).collect()
}

/// The same, by the bits behind 2001.
fn v6(step: u32, count: u32) -> Vec<String> {
    let bits = |at: u32| 0x2001 << 112 | u128::from(at.wrapping_mul(step) & !0xff) << 80;
    let address = |at: u32| Ipv6Addr::from_bits(bits(at));
    (0..count).map(|at| format!("{}/40", address(at))).collect()
}

const HEADER: usize = 64;
const ENTRY: usize = 24;

fuzz_target!(|bytes: &[u8]| {
    let Some((&form, bytes)) = bytes.split_first() else {
        return;
    };
    match form % 3 {
        0 => load(bytes),
        1 => {
            let mut image = bytes.to_vec();
            image.resize(image.len().next_multiple_of(64), 0);
            fix(&mut image);
            load(&image);
        }
        _ => {
            let mut image = WHOLE[usize::from(form / 3) % WHOLE.len()].clone();
            for change in bytes.chunks_exact(6) {
                let place = u16::from_le_bytes([change[0], change[1]]);
                // All of a larger image can be reached, if not every word.
                let step = image.len().div_ceil(1 << 18) * 4;
                let at = usize::from(place) * step % image.len();
                image[at..at + 4].copy_from_slice(&change[2..]);
            }
            fix(&mut image);
            load(&image);
        }
    }
});

/// Makes the header that of an image of this length, with checksums that are right.
fn fix(image: &mut [u8]) {
    let hash = |seed, bytes: &[u8]| twox_hash::XxHash3_64::oneshot_with_seed(seed, bytes);
    let whole = &WHOLE[0];
    let sections = u32::from_le_bytes(whole[40..44].try_into().expect("four bytes"));
    let front = HEADER + sections as usize * ENTRY;
    if image.len() < front {
        return;
    }
    let length = image.len() as u64;
    image[..HEADER].copy_from_slice(&whole[..HEADER]);
    image[16..24].copy_from_slice(&length.to_le_bytes());
    let body = hash(0, &image[front..]);
    image[32..40].copy_from_slice(&body.to_le_bytes());
    image[56..HEADER].fill(0);
    let header = hash(hash(0, &image[..HEADER]), &image[HEADER..front]);
    image[56..HEADER].copy_from_slice(&header.to_le_bytes());
}

fn load(image: &[u8]) {
    let engine = match Engine::from_image(image) {
        Ok(engine) => engine,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let _ = engine.inspect().to_string();
    for part in 0..=u8::MAX {
        let v4 = Ipv4Addr::new(part, 2, part / 2, part);
        let v6 = Ipv6Addr::new(0x2001, part.into(), u16::from(part) << 9, 0, 0, 0, 0, 1);
        let _ = engine.decide(&Request::invoke(v4, "x"));
        let _ = engine.decide(&Request::invoke(v6, "x"));
    }
    let context = [
        ("aws:UserName", Value::Text("u3")),
        ("aws:TagKeys", Value::Texts(&["b", "au"])),
        ("aws:VpcSourceIp", Value::Text("192.0.2.1")),
        ("aws:CurrentTime", Value::Text("2026-01-01")),
        ("aws:Age", Value::Text("3")),
        ("aws:SourceArn", Value::Text("arn:aws:s3:::bucket")),
    ];
    let role = Principal::Aws("arn:aws:sts::111111111111:assumed-role/r/s");
    for ip in ["10.0.0.1", "203.0.113.7", "2001:db8::1", "x"] {
        for resource in [
            "arn:aws:e:r:1:a/GET",
            "arn:aws:e:r:1:a/stage/p7/yx/é",
            "arn:aws:e:r:1:a/d/u3/x",
            "arn:aws:e:r:1:w1/x",
            "arn:aws:e:r:1:a/lane",
            "",
        ] {
            let plain = Request::invoke(Address::read(ip), resource);
            let full = plain.with_context(&context);
            let other = full.with_principal(role).with_action("s3:a1");
            let requests = [plain, full, other];
            let mut batch = [Decision::Allow; 3];
            engine.decide_batch(&requests, &mut batch);
            for (request, decision) in requests.iter().zip(batch) {
                assert_eq!(engine.decide(request), decision);
                let _ = engine.explain(request);
            }
        }
    }
}
