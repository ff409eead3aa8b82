//! The adapter speaks the protocol; pytest-reedbackup tests the rest: see README.md.

use std::io::Write;
use std::process::{Command, Stdio};

#[test]
fn it_says_hello_and_ends() {
    let mut adapter = Command::new(env!("CARGO_BIN_EXE_my-backup"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let requests = concat!(
        r#"{"jsonrpc": "2.0", "id": 1, "method": "hello", "params": {"protocol": 1}}"#,
        "\n",
        r#"{"jsonrpc": "2.0", "id": 2, "method": "shutdown", "params": {}}"#,
        "\n",
    );
    adapter.stdin.take().unwrap().write_all(requests.as_bytes()).unwrap();
    let ended = adapter.wait_with_output().unwrap();
    let replies = String::from_utf8(ended.stdout).unwrap();
    assert!(replies.contains(r#""protocol":1"#), "{replies}");
    assert_eq!(replies.lines().count(), 2);
    assert!(ended.status.success());
}
