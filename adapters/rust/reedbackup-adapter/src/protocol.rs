//! Requests, replies and their errors: JSON-RPC 2.0, one UTF-8 JSON object a line.

use crate::failure::Failure;
use serde::de::DeserializeOwned;
use serde::Deserialize;
use serde_json::{json, Map, Value};
use std::io::{self, BufRead, Read};
use std::path::PathBuf;
use std::time::Duration;

/// The version of the adapter protocol that is spoken here.
pub const VERSION: u64 = 1;

/// No line of the protocol is longer than this, in bytes, its end included.
pub const MAX_LINE: usize = 64 << 20;

/// Why a request has no result.
#[derive(Debug)]
pub enum RpcError {
    /// -32700: the line is not JSON.
    Parse(String),
    /// -32600: the JSON is not a request.
    InvalidRequest(String),
    /// -32601: no such method.
    MethodNotFound(String),
    /// -32602: the parameters are not the method's.
    InvalidParams(String),
    /// -32000: the implementation's own error, with the time that its call took.
    Implementation(Failure, Duration),
}

impl RpcError {
    fn to_json(&self) -> Value {
        let (code, message) = match self {
            Self::Parse(reason) => (-32700, reason),
            Self::InvalidRequest(reason) => (-32600, reason),
            Self::MethodNotFound(reason) => (-32601, reason),
            Self::InvalidParams(reason) => (-32602, reason),
            Self::Implementation(failure, elapsed) => {
                let Failure { kind, fields, message } = failure;
                let elapsed_ns = nanoseconds(*elapsed);
                let data = json!({"kind": kind, "fields": fields, "elapsed_ns": elapsed_ns});
                return json!({"code": -32000, "message": message, "data": data});
            }
        };
        json!({"code": code, "message": message})
    }
}

/// A request whose frame is right; its parameters are not looked at yet.
#[derive(Debug)]
pub struct Request {
    pub id: Value,
    pub method: String,
    pub params: Value,
}

/// Reads a request, or gives the id to answer to (null where none can be read) with the error.
pub fn parse(line: &[u8]) -> Result<Request, (Value, RpcError)> {
    let value: Value = serde_json::from_slice(line)
        .map_err(|error| (Value::Null, RpcError::Parse(format!("not JSON: {error}"))))?;
    let Value::Object(mut object) = value else {
        let reason = "a request is one JSON object; batches are not part of this protocol";
        return Err((Value::Null, RpcError::InvalidRequest(reason.into())));
    };
    let id = object.remove("id").filter(|id| id.is_number() || id.is_string());
    let answer_to = id.clone().unwrap_or(Value::Null);
    let invalid = |reason: &str| (answer_to.clone(), RpcError::InvalidRequest(reason.into()));

    let id = id.ok_or_else(|| invalid("\"id\" must be a number or a string"))?;
    if object.remove("jsonrpc") != Some(Value::from("2.0")) {
        return Err(invalid("\"jsonrpc\" must be \"2.0\""));
    }
    let Some(Value::String(method)) = object.remove("method") else {
        return Err(invalid("\"method\" must be a string"));
    };
    let params = object.remove("params").unwrap_or_else(|| Map::new().into());
    match object.keys().next() {
        Some(unknown) => Err(invalid(&format!("unknown member \"{unknown}\""))),
        None => Ok(Request { id, method, params }),
    }
}

/// One reply as a line.
pub fn reply(id: Value, outcome: Result<Value, RpcError>) -> Vec<u8> {
    let message = match outcome {
        Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        Err(error) => json!({"jsonrpc": "2.0", "id": id, "error": error.to_json()}),
    };
    let mut line = message.to_string().into_bytes();
    line.push(b'\n');
    line
}

/// `hello`'s parameters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    pub protocol: u64,
}

/// `create_backup`'s and `list_backups`'s parameters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnBase {
    pub contract: String,
    pub base_path: PathBuf,
}

/// `restore_point_in_time`'s parameters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restore {
    pub contract: String,
    pub base_path: PathBuf,
    pub target_timestamp: u64,
}

/// `shutdown`'s parameters: none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shutdown {}

/// Reads a method's parameters, which are an object with exactly the fields of `T`.
pub fn params<T: DeserializeOwned>(params: Value) -> Result<T, RpcError> {
    if !params.is_object() {
        return Err(RpcError::InvalidParams("\"params\" must be an object".into()));
    }
    serde_json::from_value(params)
        .map_err(|error| RpcError::InvalidParams(format!("wrong parameters: {error}")))
}

/// Nanoseconds as the protocol's integers hold them.
pub fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// What came on stdin next.
#[derive(Debug, PartialEq)]
pub enum Line {
    /// One line, without its end.
    Whole(Vec<u8>),
    /// A line longer than `MAX_LINE`, which was skipped.
    TooLong,
    /// stdin is closed.
    End,
}

/// Reads one line of at most `limit` bytes, its end included.
pub fn read_line(input: &mut impl BufRead, limit: usize) -> io::Result<Line> {
    let mut line = Vec::new();
    input.take(limit as u64).read_until(b'\n', &mut line)?;
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if line.is_empty() {
        return Ok(Line::End);
    } else if line.len() == limit {
        skip_line(input)?;
        return Ok(Line::TooLong);
    }
    Ok(Line::Whole(line))
}

fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let end = buffer.iter().position(|&byte| byte == b'\n');
        let skipped = end.map_or(buffer.len(), |end| end + 1);
        input.consume(skipped);
        if end.is_some() || skipped == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{read_line, Line};

    #[test]
    fn lines_come_one_by_one_and_an_overlong_one_is_skipped_whole() {
        let mut input: &[u8] = b"short\n\n0123456789 and more\nlast";
        let mut next = || read_line(&mut input, 10).unwrap();
        assert_eq!(next(), Line::Whole(b"short".to_vec()));
        assert_eq!(next(), Line::Whole(Vec::new()));
        assert_eq!(next(), Line::TooLong);
        assert_eq!(next(), Line::Whole(b"last".to_vec()));
        assert_eq!(next(), Line::End);
    }

    #[test]
    fn a_line_of_exactly_the_limit_is_read() {
        let mut input: &[u8] = b"012345678\n";
        assert_eq!(read_line(&mut input, 10).unwrap(), Line::Whole(b"012345678".to_vec()));
        assert_eq!(read_line(&mut input, 10).unwrap(), Line::End);
    }
}
