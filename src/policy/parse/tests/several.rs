//! Documents with several faults: all are told, and no remedy leads astray.

use super::*;

/// What is wrong in one place hides nothing of what is wrong in another.
#[test]
fn a_fault_hides_no_other() {
    let faults = |text: &str| -> Vec<String> {
        let error = Policy::from_json(text).expect_err(text);
        let path = |fault: &Fault| fault.path().to_owned();
        error.faults().iter().map(path).collect()
    };
    let unknown_operator = document(r#"Condition={"Bol":{"":1,"a":1,"A":1},"Bool":{"":1}}"#);
    assert_eq!(
        faults(&unknown_operator),
        [
            "Statement.Condition.Bol",
            "Statement.Condition.Bol.",
            "Statement.Condition.Bol.A",
            "Statement.Condition.Bool.",
            "Statement.Condition.Bool.",
        ]
    );
    assert_eq!(
        faults(&document(r#"Condition={"Bol":7}"#)),
        ["Statement.Condition.Bol"; 2]
    );
    let twins = r#"{"Statement":{"Effect":"Deny","Action":"a","NotAction":"b:c","Resource":"*"}}"#;
    assert_eq!(faults(twins), ["Statement.Action", "Statement.NotAction"]);
    let both = r#"{"Statement":{"Effect":"Deny","Action":"*","NotAction":["a",null],"Resource":"*","NotResource":"x"}}"#;
    assert_eq!(
        faults(both),
        [
            "Statement.NotAction",
            "Statement.NotAction[0]",
            "Statement.NotAction[1]",
            "Statement.NotResource",
            "Statement.NotResource",
        ]
    );
    let callers = r#"{"Statement":{"Effect":"Deny","Action":"*","Resource":"*","Principal":"*","NotPrincipal":{"AWS":["a"]}}}"#;
    assert_eq!(
        faults(callers),
        ["Statement.NotPrincipal", "Statement.NotPrincipal.AWS[0]"]
    );
    let types =
        r#"Principal={"Aws":["x",null,"",["*"],"a*","*"],"Service":"","Service":["s","b*"]}"#;
    assert_eq!(
        faults(&document(types)),
        [
            "Statement.Principal.Aws",
            "Statement.Principal.Aws[1]",
            "Statement.Principal.Aws[2]",
            "Statement.Principal.Aws[3]",
            "Statement.Principal.Aws[4]",
            "Statement.Principal.Service",
            "Statement.Principal.Service",
            "Statement.Principal.Service[1]",
        ]
    );
    let values =
        r#"Condition={"Bol":{"a":[null,[1],{},"x","${",7],"b":[],"b":["c",null],"B":null}}"#;
    assert_eq!(
        faults(&document(values)),
        [
            "Statement.Condition.Bol",
            "Statement.Condition.Bol.a[0]",
            "Statement.Condition.Bol.a[1]",
            "Statement.Condition.Bol.a[2]",
            "Statement.Condition.Bol.a[4]",
            "Statement.Condition.Bol.b",
            "Statement.Condition.Bol.b",
            "Statement.Condition.Bol.b[1]",
            "Statement.Condition.Bol.B",
            "Statement.Condition.Bol.B",
        ]
    );
    let again = r#"Condition={"Bool":{"a":true},"Bool":{"a":"x","A":"y","a":"z"}}"#;
    assert_eq!(
        faults(&document(again)),
        [
            "Statement.Condition.Bool",
            "Statement.Condition.Bool.a",
            "Statement.Condition.Bool.A",
            "Statement.Condition.Bool.A",
            "Statement.Condition.Bool.a",
            "Statement.Condition.Bool.a",
        ]
    );
    let elements = r#"{"Version":"2012-10-17","Version":"x","Id":"a","Id":7,"Statement":{
        "Sid":"a","Sid":7,"Effect":"Deny","Effect":"deny","Principal":"*","Principal":"x",
        "Action":"*","Action":"x","Resource":"*","Resource":"x","Condition":{},"Condition":7
    },"Statement":[{}]}"#;
    assert_eq!(
        faults(elements),
        [
            "Version",
            "Version",
            "Id",
            "Id",
            "Statement.Sid",
            "Statement.Sid",
            "Statement.Effect",
            "Statement.Effect",
            "Statement.Principal",
            "Statement.Principal",
            "Statement.Action",
            "Statement.Action",
            "Statement.Resource",
            "Statement.Resource",
            "Statement.Condition",
            "Statement.Condition",
            "Statement",
            "Statement[0]",
            "Statement[0]",
            "Statement[0]",
            "Statement[0]",
        ]
    );
    let wrong_version = document(r#"Resource="${a""#).replace("2012", "2013");
    assert_eq!(faults(&wrong_version), ["Version", "Statement.Resource"]);
}

#[test]
fn no_remedy_means_the_opposite() {
    let help = |operator: &str| {
        fault(&document(&format!(
            r#"Condition={{"{operator}":{{"a":"b"}}}}"#
        )))
        .2
    };
    assert_ne!(
        help("BinaryNotEquals").as_deref(),
        Some("did you mean `BinaryEquals`?")
    );
    assert_eq!(
        help("NotIPAddress").as_deref(),
        Some("did you mean `NotIpAddress`?")
    );
    assert_eq!(
        help("StringNotEqual").as_deref(),
        Some("did you mean `StringNotEquals`?")
    );
}

/// However many keys there are, the first of the same is named, and the last of other case.
#[test]
fn the_same_key_among_many() {
    for count in 1..20_usize {
        for of in [0, count / 2, count - 1] {
            let mut keys: Vec<String> = (0..count).map(|at| format!("k{at}")).collect();
            keys.extend([format!("k{of}"), format!("k{of}"), format!("K{of}")]);
            let keys: Vec<String> = keys.iter().map(|key| format!("{key:?}:\"v\"")).collect();
            let block = format!("{{\"StringEquals\":{{{}}}}}", keys.join(","));
            let text = document(&format!("Condition={block}"));
            let first = text.find(&format!("\"k{of}\"")).unwrap() + 1;
            let error = Policy::from_json(&text).unwrap_err();
            let messages: Vec<&str> = error.faults().iter().map(|fault| fault.message()).collect();
            let twice = format!("the key `k{of}` stands twice, first at line 1, column {first}");
            let folded = format!("`K{of}` is the key `k{of}` in other case");
            assert_eq!(messages, [&twice, &twice, &folded], "{text}");
        }
    }
}

/// Long lists are read by halves, on two threads: that must not be seen.
#[test]
fn long_lists_are_read_as_short_ones_are() {
    let statement = |i: usize, effect: &str| {
        format!(
            r#"{{"Sid":"é{i}","Effect":"{effect}","Principal":"*","Action":"*","Resource":"*",
            "Condition":{{"IpAddress":{{"aws:SourceIp":["10.0.{}.{}/32"]}}}}}}"#,
            i / 256,
            i % 256
        )
    };
    let document = |of: &dyn Fn(usize) -> String| {
        let statements: Vec<String> = (0..2000).map(of).collect();
        format!(r#"{{"Statement":[{}]}}"#, statements.join(",\n"))
    };
    let text = document(&|i| statement(i, "Allow"));
    let policy = Policy::from_json(&text).unwrap();
    assert_eq!(policy.statements().len(), 2000);
    for (i, read) in policy.statements().iter().enumerate() {
        let written = statement(i, "Allow");
        let alone = Policy::from_json(&format!(r#"{{"Statement":{written}}}"#)).unwrap();
        assert_eq!(*read, alone.statements()[0]);
        assert_eq!(text[policy.source_range(read.span)], written);
    }

    // Faults in either half, in both, and more than are told.
    for faulty in [&[0][..], &[1999], &[3, 1500], &[900, 999, 1000, 1001]] {
        let effect = |i| match faulty.contains(&i) {
            true => "Perhaps",
            false => "Allow",
        };
        let error = Policy::from_json(&document(&|i| statement(i, effect(i)))).unwrap_err();
        let paths: Vec<&str> = error.faults().iter().map(Fault::path).collect();
        let expected = faulty.iter().map(|i| format!("Statement[{i}].Effect"));
        assert_eq!(paths, expected.collect::<Vec<_>>());
        let lines = error.faults().iter().map(|fault| fault.position().line);
        // A statement takes two lines.
        assert!(lines.eq(faulty.iter().map(|&i| 2 * u32::try_from(i).unwrap() + 1)));
    }
    let limits = Limits::default().with_faults(3);
    let options = ParseOptions::default().with_limits(limits);
    let text = document(&|i| statement(i, "Perhaps"));
    let error = Policy::from_json_with(&text, &options).unwrap_err();
    assert_eq!((error.faults().len(), error.suppressed()), (3, 1997));
    assert_eq!(error.faults()[2].path(), "Statement[2].Effect");
}
