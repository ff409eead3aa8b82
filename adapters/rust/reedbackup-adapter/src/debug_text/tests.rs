//! Every text here is made by a derived `Debug` of a real value, unless it says otherwise.

use super::variant;
use serde_json::{json, Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt::Debug;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

#[derive(Debug)]
#[allow(dead_code)]
enum Sample {
    NoTablesFound,
    IoError { operation: String, reason: String },
    Tuple(String, u64),
    LockTimeout { table: String, timeout_secs: u64 },
    BackupNotFound { target: u64, oldest: Option<u64> },
    Numbers { max: u64, min: i64, huge: u128, half: f64, tiny: f64, nan: f64 },
    Nested { inner: Inner, list: Vec<Option<Inner>>, unit: Unit, done: bool },
    Wrapped(io::Error),
    Holder { value: Box<dyn Debug> },
}

#[derive(Debug)]
#[allow(dead_code)]
struct Inner {
    name: String,
    pair: (u8, char),
}

#[derive(Debug)]
struct Unit;

fn read(value: &impl Debug) -> (String, Value) {
    let text = format!("{value:?}");
    let plain = variant(&text).unwrap_or_else(|| panic!("not read: {text}"));
    let pretty = variant(&format!("{value:#?}")).expect("the pretty form reads too");
    assert_eq!(plain, pretty, "plain and pretty form of {text}");
    (plain.0, Value::Object(plain.1))
}

fn held(value: impl Debug + 'static) -> Value {
    let (kind, fields) = read(&Sample::Holder { value: Box::new(value) });
    assert_eq!(kind, "Holder");
    fields["value"].clone()
}

#[test]
fn a_unit_variant_has_no_fields() {
    assert_eq!(read(&Sample::NoTablesFound), ("NoTablesFound".into(), json!({})));
}

#[test]
fn a_struct_variant_has_its_fields_by_name() {
    let error = Sample::LockTimeout { table: "text".into(), timeout_secs: 5 };
    assert_eq!(read(&error), ("LockTimeout".into(), json!({"table": "text", "timeout_secs": 5})));
}

#[test]
fn a_tuple_variant_has_its_fields_by_number() {
    assert_eq!(read(&Sample::Tuple("a".into(), 7)), ("Tuple".into(), json!({"0": "a", "1": 7})));
}

#[test]
fn option_is_null_or_its_value() {
    let none = Sample::BackupNotFound { target: u64::MAX, oldest: None };
    assert_eq!(read(&none).1, json!({"target": u64::MAX, "oldest": null}));
    let some = Sample::BackupNotFound { target: 0, oldest: Some(12) };
    assert_eq!(read(&some).1, json!({"target": 0, "oldest": 12}));
}

#[test]
fn every_string_comes_back_as_it_was() {
    let awkward = [
        "",
        "plain",
        "with \"quotes\" and 'single' ones",
        "a, b: c } ) ] { ( [ IoError { reason: \"x\" }",
        "line\nbreak\r\ttab\0nul",
        "back\\slash \\n \\u{41}",
        "\u{1b}[31mred\u{1b}[0m \u{7f} \u{200b}",
        "Größe 表 🦀 e\u{301}",
        "tar: .reed: file changed as we read it\n",
    ];
    for text in awkward {
        let error = Sample::IoError { operation: text.into(), reason: format!("{text}{text}") };
        let expected = json!({"operation": text, "reason": format!("{text}{text}")});
        assert_eq!(read(&error), ("IoError".into(), expected));
    }
}

#[test]
fn numbers_keep_their_value() {
    let (_, fields) = read(&Sample::Numbers {
        max: u64::MAX,
        min: i64::MIN,
        huge: u128::MAX,
        half: -0.5,
        tiny: 1e-300,
        nan: f64::NAN,
    });
    let expected = json!({
        "max": u64::MAX,
        "min": i64::MIN,
        "huge": u128::MAX.to_string(),
        "half": -0.5,
        "tiny": 1e-300,
        "nan": "NaN",
    });
    assert_eq!(fields, expected);
}

#[test]
fn structs_within_keep_name_and_fields() {
    let inner = || Inner { name: "n".into(), pair: (1, '\'') };
    let (_, fields) = read(&Sample::Nested {
        inner: inner(),
        list: vec![Some(inner()), None],
        unit: Unit,
        done: true,
    });
    let as_json = json!({"kind": "Inner", "fields": {"name": "n", "pair": [1, "'"]}});
    let expected = json!({"inner": as_json, "list": [as_json, null], "unit": "Unit", "done": true});
    assert_eq!(fields, expected);
}

#[test]
fn errors_of_the_standard_library_are_read() {
    let os = read(&Sample::Wrapped(io::Error::from_raw_os_error(20))).1;
    assert_eq!(os["0"]["kind"], "Os");
    assert_eq!(os["0"]["fields"]["code"], 20);
    assert_eq!(os["0"]["fields"]["message"], "Not a directory");
    let custom = read(&Sample::Wrapped(io::Error::other("bad, very"))).1;
    assert_eq!(custom["0"]["fields"], json!({"kind": "Other", "error": "bad, very"}));
    assert_eq!(held("x".parse::<u8>().unwrap_err())["fields"]["kind"], "InvalidDigit");
}

#[test]
fn collections_are_arrays_and_objects() {
    assert_eq!(held(Vec::<u8>::new()), json!([]));
    assert_eq!(held(BTreeSet::from(["a", "b"])), json!(["a", "b"]));
    assert_eq!(held(BTreeMap::from([("a, b", 1), ("c: d", 2)])), json!({"a, b": 1, "c: d": 2}));
    assert_eq!(held(BTreeMap::from([(1, "x")])), json!({"1": "x"}));
    assert_eq!(held(((), (1,), (1, 2))), json!([null, [1], [1, 2]]));
}

#[test]
fn what_is_no_literal_is_kept_as_text() {
    assert_eq!(held(Duration::from_millis(1500)), json!("1.5s"));
    assert_eq!(held(1..5), json!("1..5"));
    assert_eq!(held("127.0.0.1:80".parse::<std::net::SocketAddr>().unwrap()), "127.0.0.1:80");
    assert_eq!(held(PathBuf::from("/a b/c")), json!("/a b/c"));
    assert_eq!(held(OsString::from_vec(vec![b'a', 0xff])), json!("a\\xFF"));
}

#[test]
fn fields_left_out_by_debug_are_left_out() {
    assert_eq!(held(Mutex::new(5))["fields"], json!({"data": 5, "poisoned": false}));
}

#[test]
fn deep_nesting_ends_in_text_not_in_a_stack_overflow() {
    let text = format!("Deep({}0{})", "Some(".repeat(100_000), ")".repeat(100_000));
    let (kind, fields) = variant(&text).expect("read as text");
    assert_eq!(kind, "Deep");
    assert!(fields["0"].as_str().is_some_and(|text| text.starts_with("Some(Some(")));
}

#[test]
fn text_that_is_no_derived_debug_is_refused() {
    // Written by hand: these stand for a `Debug` that is not derived.
    for text in [
        "",
        "no tables found",
        "IoError { operation: \"unclosed }",
        "IoError { operation: \"a\" } and more",
        "IoError { operation \"a\" }",
        "IoError { operation: \"a\" reason: \"b\" }",
        "Tuple(1",
        "Tuple(1))",
        "{}",
        "\"just a string\"",
    ] {
        assert_eq!(variant(text), None, "{text}");
    }
    assert_eq!(variant("Empty {}"), Some(("Empty".into(), Map::new())));
}
