//! Each rule of `params!`, read and described.

use super::*;
use crate::gateway::value::{Text, Within};

const ABSENT: Fault = Fault::new(1, "absent");
const WRONG: Fault = Fault::new(2, "wrong");

params! {
    /// One parameter of each declaration.
    #[derive(Debug, PartialEq)]
    struct Sample {
        /// required, own fault
        id: i64 = required or ABSENT,
        /// optional, own fault
        kind: i64 = optional(7) wrong => WRONG,
        /// optional, no fault
        page: Option<i64> = optional(None) wrong => default,
        /// optional, no fault unless too long
        note: Option<Text<3>> = optional(None) wrong => default,
        /// optional, the dialect's fault
        size: Within<1, 3> = optional(Within(2)),
        /// required, the dialect's faults
        last: i64 = required,
    }
}

struct Dialect;

impl ParameterFaults for Dialect {
    fn absent(&self, name: &str) -> Fault {
        named(3, name)
    }

    fn wrong(&self, name: &str) -> Fault {
        named(4, name)
    }

    fn too_long(&self, name: &str) -> Fault {
        named(5, name)
    }
}

fn named(code: i64, name: &str) -> Fault {
    Fault::formatted(code, name.to_owned())
}

fn read(json: &str) -> Result<Sample, Fault> {
    let parameters: Parameters<'static> = serde_json::from_str(json).expect("an object");
    Sample::read(&Reader::new(&parameters, &Dialect))
}

fn sample(id: i64, kind: i64, page: Option<i64>, note: Option<&str>) -> Result<Sample, Fault> {
    Ok(Sample {
        id,
        kind,
        page,
        note: note.map(|note| Text(note.into())),
        size: Within(2),
        last: 0,
    })
}

#[test]
fn each_rule_and_each_spelling() {
    let rows = [
        (r#"{"id":5}"#, sample(5, 7, None, None)),
        (
            r#"{"id":"5","kind":"8","page":"2","note":"abc"}"#,
            sample(5, 8, Some(2), Some("abc")),
        ),
        (r#"{"id":5.0,"note":12}"#, sample(5, 7, None, Some("12"))),
        (r#"{"id":1,"id":2}"#, sample(1, 7, None, None)),
        (
            r#"{"id":1,"kind":"","page":null,"note":""}"#,
            sample(1, 7, None, None),
        ),
        (r#"{"id":1,"page":"x"}"#, sample(1, 7, None, None)),
        (
            r#"{"id":1,"note":"一二三"}"#,
            sample(1, 7, None, Some("一二三")),
        ),
        (r#"{"none":0}"#, Err(ABSENT)),
        (r#"{"id":""}"#, Err(ABSENT)),
        (r#"{"id":null}"#, Err(ABSENT)),
        (r#"{"id":5.5}"#, Err(ABSENT)),
        (r#"{"id":[5]}"#, Err(ABSENT)),
        (r#"{"id":{"id":5}}"#, Err(ABSENT)),
        (r#"{"id":true}"#, Err(ABSENT)),
        (r#"{"id":99999999999999999999}"#, Err(ABSENT)),
        (r#"{"id":1,"note":"a\u0000"}"#, sample(1, 7, None, None)),
        (r#"{"kind":"x"}"#, Err(ABSENT)),
        (r#"{"id":1,"kind":"x"}"#, Err(WRONG)),
        (r#"{"id":1,"note":"一二三四"}"#, Err(named(5, "note"))),
        (r#"{"id":1,"size":""}"#, sample(1, 7, None, None)),
        (r#"{"id":1,"size":0}"#, Err(named(4, "size"))),
        (r#"{"id":1,"size":"4"}"#, Err(named(4, "size"))),
        (r#"{"id":1,"size":"x"}"#, Err(named(4, "size"))),
        (r#"{"id":1,"last":"","size":3}"#, Err(named(3, "last"))),
        (r#"{"id":1,"last":"x"}"#, Err(named(4, "last"))),
    ];
    for (json, expected) in rows {
        // Most rows are about other parameters than the one that the dialect misses.
        let json = match json.contains("last") {
            true => json.to_owned(),
            false => json.replacen('{', r#"{"last":0,"#, 1),
        };
        assert_eq!(read(&json), expected, "{json}");
    }
}

#[test]
fn the_declaration_describes_itself() {
    let fields: Vec<_> = Sample::FIELDS
        .iter()
        .map(|field| {
            let default = field.default.map(|write| write());
            (field.name, (field.kind)(), default, &field.on_invalid)
        })
        .collect();
    assert_eq!(
        fields,
        [
            ("id", "whole number".into(), None, &OnInvalid::Own(ABSENT)),
            (
                "kind",
                "whole number".into(),
                Some(Some("7".to_owned())),
                &OnInvalid::Own(WRONG)
            ),
            (
                "page",
                "whole number".into(),
                Some(None),
                &OnInvalid::Default
            ),
            (
                "note",
                "text, up to 3 characters".into(),
                Some(None),
                &OnInvalid::Default
            ),
            (
                "size",
                "1 to 3".into(),
                Some(Some("2".to_owned())),
                &OnInvalid::Dialect
            ),
            ("last", "whole number".into(), None, &OnInvalid::Dialect),
        ]
    );
    assert_eq!(Sample::FIELDS[0].doc.trim(), "required, own fault");
}
