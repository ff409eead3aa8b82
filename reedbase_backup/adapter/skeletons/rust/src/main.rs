//! An adapter: it answers pytest-reedbackup on stdin and stdout. The functions are in backup.rs.

mod backup;

use std::io::{stdin, stdout, BufRead, Write};
use std::time::Instant;

use serde_json::{json, Map, Value};

/// An error of the contract: its kind (`IoError`, `NoTablesFound`, …) with its fields.
pub struct Refused {
    pub kind: &'static str,
    pub message: String,
    pub fields: Value,
}

fn called(function: impl FnOnce() -> Result<Value, Refused>) -> Value {
    let started = Instant::now();
    let returned = function();
    let elapsed_ns = started.elapsed().as_nanos() as u64;
    match returned {
        Ok(value) => json!({"result": {"value": value, "elapsed_ns": elapsed_ns}}),
        Err(Refused { kind, message, fields }) => json!({"error": {
            "code": -32000,
            "message": message,
            "data": {"kind": kind, "fields": fields, "elapsed_ns": elapsed_ns},
        }}),
    }
}

fn answered(method: &str, params: &Value) -> Value {
    let base = params["base_path"].as_str().unwrap_or_default().as_ref();
    match method {
        "hello" => json!({"result": {
            "protocol": 1,
            "name": "my-backup",
            "version": env!("CARGO_PKG_VERSION"),
            "language": "Rust",
            "contracts": ["ticket"],
            "capabilities": [],
        }}),
        "shutdown" => json!({"result": {"value": null}}),
        "create_backup" => called(|| backup::create_backup(base)),
        "list_backups" => called(|| backup::list_backups(base)),
        "restore_point_in_time" => called(|| {
            let target = params["target_timestamp"].as_u64().unwrap_or_default();
            backup::restore_point_in_time(base, target)
        }),
        _ => json!({"error": {"code": -32601, "message": format!("no method {method}")}}),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // It ends when stdin closes.
    for line in stdin().lock().lines() {
        let request: Map<String, Value> = serde_json::from_str(&line?)?;
        let method = request["method"].as_str().unwrap_or_default();
        let mut reply = answered(method, request.get("params").unwrap_or(&Value::Null));
        reply["jsonrpc"] = json!("2.0");
        reply["id"] = request["id"].clone();
        writeln!(stdout(), "{reply}")?;
        stdout().flush()?;
        if method == "shutdown" {
            break;
        }
    }
    Ok(())
}
