use super::*;

fn laid_out(text: &str) -> String {
    let policy = Policy::from_json(text).unwrap();
    let formatted = policy.formatted_source(&Layout::default());
    assert_eq!(Policy::from_json(&formatted), Ok(policy), "{formatted}");
    let again = Policy::from_json(&formatted).unwrap();
    assert_eq!(again.formatted_source(&Layout::default()), formatted);
    formatted
}

/// A statement around the text of a resource list.
fn with_resource(resource: &str) -> String {
    format!(r#"{{"Statement": {{"Effect": "Deny", "Action": "*", "Resource": {resource}}}}}"#)
}

/// Returns what stands for the resource in the laid-out text, without its indentation.
fn resource(text: &str) -> String {
    let formatted = laid_out(&with_resource(text));
    let (_, resource) = formatted.split_once("\"Resource\": ").unwrap();
    resource.strip_suffix("\n  }\n}\n").unwrap().to_owned()
}

#[test]
fn everything_by_its_text() {
    let text = r#"{"Statement": [{"Resource": ["*", "arn:::::\u0001\"\u00e9\/"], "NotAction": ["a:b", "a:b"], "Effect": "Deny",
        "Sid": "", "Condition": {"NumericLessThan": {"Z": 10, "a": [1.50, "2"]}, "Bool": {"k": true}, "IpAddress": {"b": "10.1.0.0/8"}},
        "NotPrincipal": {"Service": "s", "AWS": ["*", "123456789012"]}}], "Id": "i", "Version": "2012-10-17"}"#;
    let formatted = r#"{
  "Version": "2012-10-17",
  "Id": "i",
  "Statement": [
    {
      "Sid": "",
      "Effect": "Deny",
      "NotPrincipal": {
        "Service": "s",
        "AWS": ["*", "123456789012"]
      },
      "NotAction": ["a:b", "a:b"],
      "Resource": ["*", "arn:::::\u0001\"é/"],
      "Condition": {
        "NumericLessThan": {
          "Z": 10,
          "a": [1.50, "2"]
        },
        "Bool": {
          "k": true
        },
        "IpAddress": {
          "b": "10.1.0.0/8"
        }
      }
    }
  ]
}
"#;
    assert_eq!(laid_out(text), formatted);
    assert_eq!(laid_out(&format!("\u{feff}{text}")), formatted);
    assert_eq!(laid_out(&formatted.replace('\n', "\r\n")), formatted);
    // As strings that hold the document.
    let once = serde_json::to_string(text).unwrap();
    let twice = serde_json::to_string(&once).unwrap();
    for escaped in [once.trim_matches('"'), &once, &twice] {
        assert_eq!(laid_out(escaped), formatted);
    }
}

#[test]
fn what_is_in_a_list_stays_in_one() {
    assert_eq!(resource("\"*\""), "\"*\"");
    assert_eq!(resource("[\"*\"]"), "[\"*\"]");
    let alone = laid_out(&with_resource("\"*\""));
    assert!(alone.contains("\"Statement\": {\n    \"Effect\""));
    let empty =
        r#"{"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {}}}"#;
    assert!(laid_out(empty).contains("\"Condition\": {}"));
}

/// A line of 80 characters, a comma counted, is whole; one of 81 is not. Characters count.
#[test]
fn a_list_that_fits_stays_on_its_line() {
    for letter in ["x", "é", "東"] {
        for (width, whole) in [(80, true), (81, false)] {
            let around = "    \"Resource\": [\"*\", \"*1\"],".len();
            let text = letter.repeat(width - around);
            let list = format!("[\"*{text}\", \"*1\"]");
            let apart = format!("[\n      \"*{text}\",\n      \"*1\"\n    ]");
            assert_eq!(resource(&list), if whole { list } else { apart });
        }
    }
}

#[test]
fn strings_are_spelled_in_one_way() {
    for (written, spelled) in [
        (r#""\u0041\/\u00e9""#, r#""A/é""#),
        (
            r#""\n\t\r\b\f\u007f\"\\""#,
            r#""\n\t\r\u0008\u000c\u007f\"\\""#,
        ),
        (r#""\u202e\u200B\ufeff""#, r#""\u202e\u200b\ufeff""#),
        ("\"\u{202e}\u{a0}\u{85}\"", r#""\u202e\u00a0\u0085""#),
        (r#""\ud83d\ude00\udb40\udc41""#, "\"😀\\udb40\\udc41\""),
    ] {
        let sid = |text: &str| {
            format!(
                r#"{{"Statement": {{"Sid": {text}, "Effect": "Deny", "Action": "*", "Resource": "*"}}}}"#
            )
        };
        let formatted = laid_out(&sid(written));
        assert!(
            formatted.contains(&format!("\"Sid\": {spelled},\n")),
            "{formatted}"
        );
    }
}

#[test]
fn addresses_are_sorted_as_numbers_where_that_is_asked() {
    let text = r#"{"Statement": {"Effect": "Deny", "Action": "*", "Resource": ["*b", "*a"], "Condition": {
        "ForAnyValue:NotIpAddressIfExists": {"b": ["::1", "192.0.2.9", "10.0.0.0/8", "::/0", "2.0.0.0/7", "192.0.2.10",
            "10.0.0.0/16", "10.9.9.9/8", "::ffff:1.1.1.1", "192.0.2.9"], "a": "::"},
        "StringEquals": {"k": ["9", "10"]}}}}"#;
    let policy = Policy::from_json(text).unwrap();
    let sorted = Layout::default().with_sorted_addresses(true);
    let formatted = policy.formatted_source(&sorted);
    let lists: Vec<&str> = formatted.split(['[', ']']).skip(1).step_by(2).collect();
    let flat = |list: &str| list.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(flat(lists[0]), r#""*b", "*a""#);
    assert_eq!(
        flat(lists[1]),
        r#""::ffff:1.1.1.1", "2.0.0.0/7", "10.0.0.0/8", "10.9.9.9/8", "10.0.0.0/16", "192.0.2.9", "192.0.2.9", "192.0.2.10", "::/0", "::1""#
    );
    assert_eq!(flat(lists[2]), r#""9", "10""#);
    let again = Policy::from_json(&formatted).unwrap();
    assert_eq!(again.formatted_source(&sorted), formatted);
    assert_eq!(again.formatted_source(&Layout::default()), formatted);
}

/// In memory, a policy is what it is: short-hand expanded, values in their normal form.
#[test]
fn a_policy_in_memory_is_laid_out_as_it_is() {
    let text = r#"{"Statement": [{"Effect": "Deny", "Action": ["a:b"], "Resource": "execute-api:/x",
        "Condition": {"IpAddress": {"k": ["10.1.0.0/8"]}, "Bool": {"s": true}}}]}"#;
    let api = crate::Api::new("aws", "r", "1", "id").unwrap();
    let policy = Policy::from_json(text)
        .unwrap()
        .with_short_hand_expanded(&api);
    let pretty = policy.to_json_pretty(&Layout::default());
    assert_eq!(Policy::from_json(&pretty), Ok(policy.clone()));
    for value in [
        "\"Action\": \"a:b\"",
        "arn:aws:execute-api:r:1:id/x",
        "\"10.0.0.0/8\"",
        "\"true\"",
    ] {
        assert!(pretty.contains(value), "{pretty}");
    }
    let source = policy.formatted_source(&Layout::default());
    assert!(
        source.contains("\"execute-api:/x\"") && source.contains(": true"),
        "{source}"
    );
}
