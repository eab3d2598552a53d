//! Saved engines: damaged and made-up images fail to load, or decide without panic.

use std::env;
use std::fs;
use std::process;

use portcullis::{
    Address, Config, Decision, Engine, ImageError, Policy, Principal, Request, Value,
};

/// One of everything: wildcards, many tails, variables, principals, `NotResource`, programs,
/// values that are found by hash, both address families; and an identity policy.
fn policies() -> Vec<Policy> {
    let resource = include_str!("../support/every_table.json");
    let identity =
        r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:e:r:1:a/x"}}"#;
    [resource, identity]
        .map(|text| Policy::from_json(text).unwrap())
        .to_vec()
}

/// The tables of the address look-ups of a key: those of the first key stand first behind the
/// scalars, then its name, then those of the second.
const LOOKUPS: usize = 18;

/// No table is left out by the policies that the other tests damage, but those of look-ups of
/// another shape.
#[test]
fn the_policies_fill_every_table() {
    let is_lookup =
        |i: &usize| (1..=LOOKUPS).contains(&(i % (LOOKUPS + 1))) && *i < 2 * (LOOKUPS + 1);
    let mut empty: Vec<usize> = (1..1000).filter(|i| !is_lookup(i)).collect();
    for config in configs() {
        let engine = engine(config);
        let image = engine.image();
        let lens = (0..sections(image)).map(|i| image[HEADER + i * 24 + 16..][..8].to_vec());
        let lens: Vec<u64> = lens
            .map(|len| u64::from_ne_bytes(len.try_into().unwrap()))
            .collect();
        empty.retain(|&i| lens.get(i) == Some(&0));
    }
    assert_eq!(empty, [0_usize; 0], "sections by number");
}

fn engine(config: Config) -> Engine {
    let add = |builder: portcullis::Builder, policy| builder.policy(policy);
    let builder = policies().into_iter().fold(Engine::builder(), add);
    builder.config(config).build().unwrap()
}

/// Asks about all parts of [`policies`].
fn ask(engine: &Engine) -> Vec<(Decision, String)> {
    let role = Principal::Aws("arn:aws:sts::111111111111:assumed-role/r/s");
    let context = [
        ("aws:UserName", Value::Text("u3")),
        ("aws:TagKeys", Value::Texts(&["b", "au"])),
        ("aws:VpcSourceIp", Value::Text("192.0.2.1")),
        ("aws:CurrentTime", Value::Text("2026-01-01")),
        ("aws:Age", Value::Text("3")),
        ("aws:SourceArn", Value::Text("arn:aws:s3:::bucket")),
    ];
    let mut answers = Vec::new();
    for ip in ["10.0.0.1", "203.0.113.7", "2001:db8::1", "x"] {
        for (resource, context) in [
            ("arn:aws:e:r:1:a/GET", &[][..]),
            ("arn:aws:e:r:1:a/stage/p7/yx/é", &context[1..]),
            ("arn:aws:e:r:1:a/d/u3/x", &context[..]),
            ("arn:aws:e:r:1:w1/x", &context[..1]),
            ("arn:aws:e:r:1:a/lane", &[][..]),
            ("", &[][..]),
        ] {
            let request = Request::invoke(Address::read(ip), resource).with_context(context);
            let other = request.with_principal(role).with_action("s3:a1");
            let mut batch = [Decision::Allow; 2];
            engine.decide_batch(&[request, other], &mut batch);
            for (request, decision) in [(request, batch[0]), (other, batch[1])] {
                assert_eq!(engine.decide(&request), decision);
                answers.push((decision, format!("{:?}", engine.explain(&request))));
            }
        }
    }
    answers
}

/// Where the header has its checksums, and its length.
const BODY_CHECKSUM: usize = 32;
const HEADER_CHECKSUM: usize = 56;
const HEADER: usize = 64;

/// Makes the checksums right, as the format says.
fn fix(image: &mut [u8], sections: usize) {
    let hash = |seed, bytes: &[u8]| twox_hash::XxHash3_64::oneshot_with_seed(seed, bytes);
    let front = HEADER + sections * 24;
    let body = hash(0, &image[front..]);
    image[BODY_CHECKSUM..][..8].copy_from_slice(&body.to_ne_bytes());
    image[HEADER_CHECKSUM..HEADER].fill(0);
    let header = hash(hash(0, &image[..HEADER]), &image[HEADER..front]);
    image[HEADER_CHECKSUM..HEADER].copy_from_slice(&header.to_ne_bytes());
}

fn sections(image: &[u8]) -> usize {
    usize::try_from(u32::from_ne_bytes(image[40..44].try_into().unwrap())).unwrap()
}

fn configs() -> [Config; 3] {
    [
        Config::new(),
        Config::new().with_cell_budget(2),
        Config::new().with_class_budget(0),
    ]
}

#[test]
fn a_loaded_image_is_the_same_engine() {
    for config in configs() {
        let built = engine(config);
        let loaded = Engine::from_image(built.image()).unwrap();
        let answers = ask(&built);
        assert_eq!(answers, ask(&loaded));
        assert_eq!(built.inspect(), loaded.inspect());
        for decision in [
            Decision::Allow,
            Decision::ExplicitDeny,
            Decision::ImplicitDeny,
        ] {
            assert!(
                answers.iter().any(|answer| answer.0 == decision),
                "{decision}"
            );
        }
        let mut fixed = built.image().to_vec();
        let sections = sections(&fixed);
        fix(&mut fixed, sections);
        assert_eq!(
            fixed,
            built.image(),
            "the checksums are what the format says"
        );
    }
}

#[test]
fn builds_of_equal_policies_are_equal_bytes() {
    assert_eq!(engine(Config::new()).image(), engine(Config::new()).image());
}

#[test]
fn every_truncated_image_fails() {
    let image = engine(Config::new()).image().to_vec();
    for length in 0..image.len() {
        let error = Engine::from_image(&image[..length]).unwrap_err();
        assert_eq!(error.is_not_an_image(), length < 8, "{length}: {error}");
    }
    let longer = [&image[..], &[0; 64]].concat();
    let error = Engine::from_image(&longer).unwrap_err().to_string();
    assert!(
        error.contains(&format!("ends at {} bytes", image.len())),
        "{error}"
    );
}

#[test]
fn every_flipped_byte_fails() {
    let mut image = engine(Config::new()).image().to_vec();
    for at in 0..image.len() {
        let bit = 1 << (at % 8);
        image[at] ^= bit;
        assert!(
            Engine::from_image(&image).is_err(),
            "bit {bit:#x} of byte {at}"
        );
        image[at] ^= bit;
    }
    assert!(Engine::from_image(&image).is_ok());
}

/// An image that somebody made up has checksums that are right.
#[test]
fn every_made_up_image_fails_or_decides() {
    for config in configs() {
        let original = engine(config).image().to_vec();
        let sections = sections(&original);
        let mut state = 7_u64;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let (mut loaded, mut failed) = (0, 0);
        let mut load = |image: &mut [u8]| {
            fix(image, sections);
            match Engine::from_image(image) {
                Ok(engine) => {
                    ask(&engine);
                    let _ = engine.inspect().to_string();
                    loaded += 1;
                }
                Err(error) => {
                    assert!(!error.to_string().is_empty());
                    failed += 1;
                }
            }
        };
        for at in (0..original.len()).step_by(8) {
            let mut image = original.clone();
            let value = [0, 1, u32::MAX, 0xff, 1 << 31][usize::try_from(random() % 5).unwrap()];
            image[at..at + 4].copy_from_slice(&value.to_ne_bytes());
            load(&mut image);
        }
        for _ in 0..300 {
            let mut image = original.clone();
            for _ in 0..=random() % 8 {
                let at = usize::try_from(random()).unwrap() % image.len();
                image[at] ^= 1 << (random() % 8);
            }
            load(&mut image);
        }
        assert!(
            loaded > 500 && failed > 500,
            "{loaded} loaded, {failed} failed"
        );
    }
}

/// What is done to an image, of which the sections start there.
type Change = fn(&mut Vec<u8>, usize);

#[test]
fn messages_name_the_place_and_the_remedy() {
    let image = engine(Config::new()).image().to_vec();
    let sections = sections(&image);
    let front = HEADER + sections * 24;
    let message = |change: Change, fixed: bool| -> String {
        let mut changed = image.clone();
        change(&mut changed, front);
        if fixed {
            fix(&mut changed, sections);
        }
        let error: ImageError = Engine::from_image(&changed).unwrap_err();
        error.to_string()
    };
    let cases: [(Change, bool, &str); 11] = [
        (
            |image, _| image[1] = b'x',
            false,
            "not an image: compile the policy first",
        ),
        (
            |image, _| image.truncate(40),
            false,
            "the image is truncated at 40 of 64 bytes: copy it anew",
        ),
        (
            |image, _| image[8..12].reverse(),
            true,
            "the image is of a machine of another byte order: compile the policy anew",
        ),
        (
            |image, _| image[12..16].copy_from_slice(&9_u32.to_ne_bytes()),
            true,
            "the image is of format 9 and this reads 6: compile the policy anew",
        ),
        (
            |image, _| image[24] ^= 1,
            true,
            "the image has the tables of another release: compile the policy anew",
        ),
        (
            |image, _| image[HEADER + 16] ^= 1,
            false,
            "the image is damaged: the checksum of the header is another: copy it anew",
        ),
        (
            |image, front| image[front + 100] ^= 1,
            false,
            "the image is damaged: the checksum of the sections is another: copy it anew",
        ),
        (
            |image, _| image[HEADER] = 9,
            true,
            "section `scalars` has another number: compile the policy anew",
        ),
        (
            |image, _| image[HEADER + 4] = 9,
            true,
            "section `scalars` has records of another size: compile the policy anew",
        ),
        (
            |image, _| image[HEADER + 8] ^= 64,
            true,
            "section `scalars` does not start behind the one before: compile the policy anew",
        ),
        (
            |image, _| image[HEADER + 23] = 0xff,
            true,
            "section `scalars` ends behind the image: compile the policy anew",
        ),
    ];
    for (change, fixed, expected) in cases {
        assert_eq!(message(change, fixed), expected);
    }
}

#[test]
fn an_image_in_the_program_must_be_aligned() {
    let image = engine(Config::new()).image().to_vec();
    let buffer: &'static mut [u8] = vec![0; image.len() + 128].leak();
    let start = buffer.as_ptr().align_offset(64);
    buffer[start..][..image.len()].copy_from_slice(&image);
    let buffer: &'static [u8] = buffer;
    let loaded = Engine::from_static_image(&buffer[start..][..image.len()]).unwrap();
    assert!(core::ptr::eq(
        loaded.image(),
        &buffer[start..][..image.len()]
    ));
    assert_eq!(ask(&loaded), ask(&engine(Config::new())));

    let buffer: &'static mut [u8] = vec![0; image.len() + 128].leak();
    let start = buffer.as_ptr().align_offset(64) + 1;
    buffer[start..][..image.len()].copy_from_slice(&image);
    let buffer: &'static [u8] = buffer;
    let error = Engine::from_static_image(&buffer[start..][..image.len()]).unwrap_err();
    assert!(
        error.to_string().contains("multiple of 64 bytes"),
        "{error}"
    );
}

#[test]
fn a_file_is_read_and_mapped() {
    let built = engine(Config::new());
    let path = env::temp_dir().join(format!("portcullis-image-{}", process::id()));
    fs::write(&path, built.image()).unwrap();
    let read = Engine::read_image(&path).unwrap();
    assert_eq!(read.image(), built.image());
    assert_eq!(ask(&read), ask(&built));
    #[cfg(feature = "mmap")]
    {
        #[expect(unsafe_code, reason = "the file is this test's own")]
        // SAFETY: nobody else knows the file; it is removed, which leaves a mapping as it is.
        let mapped = unsafe { Engine::map_image(&path) }.unwrap();
        fs::remove_file(&path).unwrap();
        assert_eq!(mapped.image(), built.image());
        assert_eq!(ask(&mapped), ask(&built));
    }
    fs::write(&path, "{}").unwrap();
    assert!(Engine::read_image(&path).unwrap_err().is_not_an_image());
    fs::write(&path, &built.image()[..1000]).unwrap();
    let error = Engine::read_image(&path).unwrap_err().to_string();
    assert!(
        error.starts_with("the image is truncated at 1000 of "),
        "{error}"
    );
    fs::remove_file(&path).unwrap();
    let error = Engine::read_image(&path).unwrap_err().to_string();
    assert!(error.starts_with("cannot read the image: "), "{error}");
}

/// The same of look-ups that the policies above are too small for: each word, to addresses in and
/// beside the lists.
#[test]
fn every_made_up_look_up_fails_or_decides() {
    let address = |i: u32| core::net::Ipv4Addr::from_bits(i.wrapping_mul(0x9e37_79b1) & !0xff);
    // Some of them so near one another that their blocks are divided.
    let near = (1..6).map(|i| format!(r#""203.0.{}.0/24""#, i * 16));
    let cidrs = (0..200).map(|i| format!(r#""{}/24""#, address(i)));
    let cidrs: Vec<String> = cidrs.chain(near).collect();
    let statements: Vec<String> = cidrs
        .chunks(50)
        .map(|cidrs| {
            format!(
                r#"{{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*",
                    "Condition":{{"IpAddress":{{"aws:SourceIp":[{}]}}}}}}"#,
                cidrs.join(",")
            )
        })
        .collect();
    let text = format!(r#"{{"Statement":[{}]}}"#, statements.join(","));
    let policy = Policy::from_json(&text).unwrap();
    let engine = Engine::builder().policy(policy).build().unwrap();
    assert!(engine.inspect().to_string().contains("quads by block"));
    let original = engine.image().to_vec();
    let sections = sections(&original);
    let (mut loaded, mut failed) = (0, 0);
    for at in (HEADER..original.len()).step_by(4) {
        for value in [0, 1, 32, 1 << 6 | 5, 31 << 6 | 31, u32::MAX] {
            let mut image = original.clone();
            image[at..at + 4].copy_from_slice(&u32::to_ne_bytes(value));
            fix(&mut image, sections);
            let Ok(engine) = Engine::from_image(&image) else {
                failed += 1;
                continue;
            };
            loaded += 1;
            for i in 0..40 {
                for ip in [address(i), core::net::Ipv4Addr::new(203, 0, 16, 1)] {
                    let request = Request::invoke(ip, "arn:aws:e:r:1:a");
                    let mut batch = [Decision::Allow];
                    engine.decide_batch(&[request], &mut batch);
                    assert_eq!(engine.decide(&request), batch[0]);
                }
            }
        }
    }
    assert!(
        loaded > 5000 && failed > 1000,
        "{loaded} loaded, {failed} failed"
    );
}

/// From two megabytes on it is kept elsewhere, where the system lets it.
#[test]
fn a_large_engine_is_the_same_from_everywhere() {
    let listed = |i: u32| i.is_multiple_of(3);
    let address = |i: u32| core::net::Ipv4Addr::from_bits(i.wrapping_mul(0x9e37_79b1));
    let cidrs = (0..240_000).filter(|&i| listed(i)).map(address);
    let cidrs: Vec<String> = cidrs.map(|ip| format!(r#""{ip}/32""#)).collect();
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":"*","Action":"*",
            "Resource":"*","Condition":{{"IpAddress":{{"aws:SourceIp":[{}]}}}}}}}}"#,
        cidrs.join(",")
    );
    let policy = Policy::from_json(&text).unwrap();
    let built = Engine::builder().policy(policy).build().unwrap();
    assert!(built.image().len() > 2 << 20, "{}", built.image().len());
    let path = env::temp_dir().join(format!("portcullis-large-{}", process::id()));
    fs::write(&path, built.image()).unwrap();
    let read = Engine::read_image(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let copied = Engine::from_image(built.image()).unwrap();
    for engine in [&built, &read, &copied] {
        assert_eq!(engine.image(), built.image());
        for i in 0..2000 {
            let decision = engine.decide(&Request::invoke(address(i), "arn:aws:execute-api:r:1:a"));
            let expected = match listed(i) {
                true => Decision::Allow,
                false => Decision::ImplicitDeny,
            };
            assert_eq!(decision, expected, "{i}");
        }
    }
}

#[test]
fn a_build_past_the_size_limit_fails() {
    let add = |builder: portcullis::Builder, policy| builder.policy(policy);
    let builder = policies().into_iter().fold(Engine::builder(), add);
    let limited = builder.config(Config::new().with_image_size_limit(1000));
    let error = limited.build().unwrap_err();
    assert_eq!(error.size_limit(), Some(1000));
    let expected = "bytes of the image pass the limit of 1000 (`image_size_limit`)";
    assert_eq!(error.to_string(), expected);
}
