//! The loop, driven in process with an implementation of each contract.

use reedbackup_adapter::{last, ticket, timed, Adapter, Failure, Implementation, Timed};
use serde_json::{json, Value};
use std::fmt;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

#[derive(Debug)]
#[allow(dead_code)]
enum ReedError {
    BackupNotFound { target: u64, oldest: Option<u64> },
}

impl fmt::Display for ReedError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("no such backup")
    }
}

struct Seconds;

impl Implementation for Seconds {
    type Contract = ticket::Ticket;

    fn create_backup(&mut self, base: &Path) -> Timed<ticket::BackupInfo> {
        timed(
            || {
                sleep(Duration::from_millis(2));
                Ok::<_, ReedError>(base.display().to_string())
            },
            |id| ticket::BackupInfo {
                id,
                timestamp: u64::MAX,
                size_bytes: 1,
                table_count: 2,
                compression: "gzip".into(),
            },
        )
    }

    fn list_backups(&mut self, _: &Path) -> Timed<Vec<ticket::BackupInfo>> {
        timed(|| Ok::<_, ReedError>(Vec::new()), |list| list)
    }

    fn restore_point_in_time(&mut self, _: &Path, target: u64) -> Timed<ticket::RestoreReport> {
        timed(
            || match target {
                0 => Err(ReedError::BackupNotFound { target, oldest: Some(5) }),
                _ => Ok(target),
            },
            |target| ticket::RestoreReport {
                tables_restored: 1,
                total_bytes: target,
                duration_ms: 0,
            },
        )
    }
}

struct Nanoseconds;

impl Implementation for Nanoseconds {
    type Contract = last::Last;

    fn create_backup(&mut self, base: &Path) -> Timed<last::BackupInfo> {
        let path = base.join("backups/1.tar.gz");
        timed(
            || Ok::<_, ReedError>(path),
            |path| last::BackupInfo { timestamp: 1, path, size_bytes: 1 << 19, size_mb: 0.5 },
        )
    }

    fn list_backups(&mut self, _: &Path) -> Timed<Vec<last::BackupInfo>> {
        timed(|| Ok::<_, ReedError>(Vec::new()), |list| list)
    }

    fn restore_point_in_time(&mut self, _: &Path, target: u64) -> Timed<last::RestoreReport> {
        let error = ReedError::BackupNotFound { target, oldest: None };
        timed(
            || Ok::<_, ReedError>(()),
            |()| last::RestoreReport {
                target_timestamp: target,
                tables_restored: vec![("text".into(), 7)],
                tables_skipped: vec!["late".into()],
                errors: vec![("users".into(), Failure::of(&error))],
            },
        )
    }
}

fn exchange(lines: &[u8]) -> Vec<Value> {
    let mut adapter = Adapter::new("sample", "1.2.3").with(Seconds).with(Nanoseconds);
    let mut replies = Vec::new();
    adapter.run(lines, &mut replies).expect("in memory");
    assert!(replies.is_empty() || replies.ends_with(b"\n"));
    let text = String::from_utf8(replies).expect("replies are UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("replies are JSON")).collect()
}

fn reply(method: &str, params: Value) -> Value {
    let request = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
    let replies = exchange(format!("{request}\n").as_bytes());
    assert_eq!(replies.len(), 1);
    assert_eq!((&replies[0]["jsonrpc"], &replies[0]["id"]), (&json!("2.0"), &json!(7)));
    replies[0].clone()
}

fn code(line: &[u8]) -> (Value, Value) {
    let replies = exchange(line);
    assert_eq!(replies.len(), 1, "{replies:?}");
    let error = &replies[0]["error"];
    assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()));
    assert!(error.get("data").is_none());
    (error["code"].clone(), replies[0]["id"].clone())
}

#[test]
fn hello_tells_who_is_there_and_claims_no_capability() {
    let expected = json!({
        "protocol": 1,
        "name": "sample",
        "version": "1.2.3",
        "language": "Rust",
        "contracts": ["ticket", "last"],
        "capabilities": [],
    });
    assert_eq!(reply("hello", json!({"protocol": 1}))["result"], expected);
}

#[test]
fn a_call_returns_value_and_the_time_of_the_library_call() {
    let result =
        &reply("create_backup", json!({"contract": "ticket", "base_path": "/Ω"}))["result"];
    let value = json!({
        "id": "/Ω",
        "timestamp": u64::MAX,
        "size_bytes": 1,
        "table_count": 2,
        "compression": "gzip",
    });
    assert_eq!(result["value"], value);
    assert!(result["elapsed_ns"]
        .as_u64()
        .is_some_and(|ns| (2_000_000..2_000_000_000).contains(&ns)));
    assert_eq!(result.as_object().map(serde_json::Map::len), Some(2));
}

#[test]
fn each_contract_has_its_own_types() {
    let params = |contract| json!({"contract": contract, "base_path": "/b"});
    assert_eq!(reply("list_backups", params("last"))["result"]["value"], json!([]));
    let info = reply("create_backup", params("last"))["result"]["value"].clone();
    let path = "/b/backups/1.tar.gz";
    assert_eq!(info, json!({"timestamp": 1, "path": path, "size_bytes": 524_288, "size_mb": 0.5}));
    let params = json!({"contract": "last", "base_path": "/b", "target_timestamp": u64::MAX});
    let report = reply("restore_point_in_time", params)["result"]["value"].clone();
    let error = json!({"kind": "BackupNotFound", "target": u64::MAX, "oldest": null});
    let expected = json!({
        "target_timestamp": u64::MAX,
        "tables_restored": [["text", 7]],
        "tables_skipped": ["late"],
        "errors": [["users", error]],
    });
    assert_eq!(report, expected);
}

#[test]
fn an_error_of_the_implementation_is_data() {
    let params = json!({"contract": "ticket", "base_path": "/b", "target_timestamp": 0});
    let error = reply("restore_point_in_time", params)["error"].clone();
    assert_eq!((&error["code"], &error["message"]), (&json!(-32000), &json!("no such backup")));
    assert_eq!(error["data"]["kind"], "BackupNotFound");
    assert_eq!(error["data"]["fields"], json!({"target": 0, "oldest": 5}));
    assert!(error["data"]["elapsed_ns"].is_u64());
}

#[test]
fn what_is_not_json_is_a_parse_error() {
    for line in
        ["{", "", "   ", "nonsense", "{\"a\": 1} {}", "\"\\ud800\"", "[".repeat(500).as_str()]
    {
        assert_eq!(code(format!("{line}\n").as_bytes()), (json!(-32700), Value::Null), "{line}");
    }
    assert_eq!(code(b"{\"id\": 1, \"method\": \"\xff\"}\n"), (json!(-32700), Value::Null));
}

#[test]
fn what_is_no_request_is_an_invalid_request_under_its_id_if_it_has_one() {
    for (line, id) in [
        ("[]", Value::Null),
        ("1", Value::Null),
        ("{}", Value::Null),
        (r#"{"jsonrpc": "2.0", "method": "hello", "params": {}}"#, Value::Null),
        (r#"{"jsonrpc": "2.0", "id": null, "method": "hello"}"#, Value::Null),
        (r#"{"jsonrpc": "2.0", "id": [1], "method": "hello"}"#, Value::Null),
        (r#"{"id": 3, "method": "hello"}"#, json!(3)),
        (r#"{"jsonrpc": 2.0, "id": 3, "method": "hello"}"#, json!(3)),
        (r#"{"jsonrpc": "2.0", "id": "x", "method": 5}"#, json!("x")),
        (r#"{"jsonrpc": "2.0", "id": 3}"#, json!(3)),
        (r#"{"jsonrpc": "2.0", "id": 3, "method": "hello", "extra": 1}"#, json!(3)),
    ] {
        assert_eq!(code(format!("{line}\n").as_bytes()), (json!(-32600), id), "{line}");
    }
}

#[test]
fn an_unknown_method_is_said_to_be_unknown() {
    assert_eq!(reply("delete_backup", json!({}))["error"]["code"], -32601);
    assert_eq!(reply("", json!({}))["error"]["code"], -32601);
}

#[test]
fn parameters_that_are_not_the_methods_are_refused() {
    let base = json!({"contract": "ticket", "base_path": "/b"});
    let with = |name: &str, value: Value| {
        let mut params = base.clone();
        params[name] = value;
        params
    };
    let target = |value: Value| with("target_timestamp", value);
    let too_big: Value = serde_json::from_str("18446744073709551616").unwrap();
    for (method, params) in [
        ("hello", json!({})),
        ("hello", json!({"protocol": 2})),
        ("hello", json!({"protocol": "1"})),
        ("hello", json!({"protocol": 1, "more": 1})),
        ("create_backup", json!([])),
        ("create_backup", json!(null)),
        ("create_backup", json!({"contract": "ticket"})),
        ("create_backup", json!({"base_path": "/b"})),
        ("create_backup", with("contract", json!("other"))),
        ("create_backup", with("base_path", json!(5))),
        ("create_backup", with("now_ns", json!(1))),
        ("list_backups", with("target_timestamp", json!(1))),
        ("restore_point_in_time", base.clone()),
        ("restore_point_in_time", target(json!(-1))),
        ("restore_point_in_time", target(json!(1.0))),
        ("restore_point_in_time", target(json!("1"))),
        ("restore_point_in_time", target(too_big)),
        ("shutdown", json!({"now": true})),
    ] {
        let error = reply(method, params.clone())["error"].clone();
        assert_eq!(error["code"], -32602, "{method} {params}");
    }
}

#[test]
fn it_goes_on_after_errors_and_ends_at_shutdown() {
    let lines = concat!(
        "nonsense\n",
        r#"{"jsonrpc": "2.0", "id": "a", "method": "list_backups", "params": {"contract": "ticket", "base_path": "/"}}"#,
        "\r\n",
        r#"{"jsonrpc": "2.0", "id": "b", "method": "shutdown"}"#,
        "\n",
        r#"{"jsonrpc": "2.0", "id": "c", "method": "shutdown"}"#,
        "\n",
    );
    let replies = exchange(lines.as_bytes());
    let ids: Vec<_> = replies.iter().map(|reply| reply["id"].clone()).collect();
    assert_eq!(ids, [Value::Null, json!("a"), json!("b")]);
    assert_eq!(replies[2]["result"], json!({"value": null}));
}

#[test]
fn a_refused_shutdown_does_not_end_it_and_the_last_line_needs_no_line_end() {
    let lines = concat!(
        r#"{"jsonrpc": "2.0", "id": 1, "method": "shutdown", "params": 1}"#,
        "\n",
        r#"{"jsonrpc": "2.0", "id": 2, "method": "hello", "params": {"protocol": 1}}"#,
    );
    let replies = exchange(lines.as_bytes());
    assert_eq!(replies[0]["error"]["code"], -32602);
    assert_eq!(replies[1]["result"]["protocol"], 1);
    assert!(exchange(b"").is_empty());
}
