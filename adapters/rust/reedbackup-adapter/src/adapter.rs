//! The adapter: which implementations it serves, and the loop that answers requests.

use crate::implementation::{Contract, Implementation, Timed};
use crate::protocol::{self, Line, Request, RpcError};
use crate::stdio;
use serde::Serialize;
use serde_json::{json, Value};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::ExitCode;

/// An adapter process: a name and version for reports, and an implementation for each contract.
pub struct Adapter {
    name: String,
    version: String,
    served: Vec<(&'static str, Box<dyn Served>)>,
}

impl Adapter {
    /// An adapter that claims no contract yet. `name` and `version` are the implementation's own.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Adapter { name: name.into(), version: version.into(), served: Vec::new() }
    }

    /// Claims the implementation's contract. A second implementation of the same contract takes
    /// the place of the first.
    #[must_use]
    pub fn with<I: Implementation + 'static>(mut self, implementation: I) -> Self {
        let name = I::Contract::NAME;
        self.served.retain(|(contract, _)| *contract != name);
        self.served.push((name, Box::new(implementation)));
        self
    }

    /// Answers requests until `shutdown` or until stdin closes: the body of an adapter's `main`.
    ///
    /// stdin and stdout are kept for the protocol. What the implementation or a child of it prints
    /// to stdout goes to stderr, and what it reads from stdin is empty.
    pub fn serve(mut self) -> ExitCode {
        let ended = stdio::claim()
            .and_then(|(requests, replies)| self.run(BufReader::new(requests), replies));
        match ended {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("reedbackup-adapter: the protocol's stream broke: {error}");
                ExitCode::FAILURE
            }
        }
    }

    /// Answers requests from `requests` to `replies`, as [`serve`](Self::serve) does over stdio.
    pub fn run(&mut self, mut requests: impl BufRead, mut replies: impl Write) -> io::Result<()> {
        loop {
            let (reply, ends) = match protocol::read_line(&mut requests, protocol::MAX_LINE)? {
                Line::End => return Ok(()),
                Line::Whole(line) => self.answer(&line),
                Line::TooLong => {
                    let reason = format!("the line is longer than {} bytes", protocol::MAX_LINE);
                    (protocol::reply(Value::Null, Err(RpcError::Parse(reason))), false)
                }
            };
            replies.write_all(&reply)?;
            replies.flush()?;
            if ends {
                return Ok(());
            }
        }
    }

    /// The reply to one line, and whether it is the last.
    fn answer(&mut self, line: &[u8]) -> (Vec<u8>, bool) {
        let Request { id, method, params } = match protocol::parse(line) {
            Ok(request) => request,
            Err((id, error)) => return (protocol::reply(id, Err(error)), false),
        };
        let outcome = self.call(&method, params);
        let ends = method == "shutdown" && outcome.is_ok();
        (protocol::reply(id, outcome), ends)
    }

    fn call(&mut self, method: &str, params: Value) -> Result<Value, RpcError> {
        match method {
            "hello" => self.hello(&protocol::params(params)?),
            "create_backup" => {
                let call: protocol::OnBase = protocol::params(params)?;
                self.served(&call.contract)?.create_backup(&call.base_path)
            }
            "list_backups" => {
                let call: protocol::OnBase = protocol::params(params)?;
                self.served(&call.contract)?.list_backups(&call.base_path)
            }
            "restore_point_in_time" => {
                let call: protocol::Restore = protocol::params(params)?;
                self.served(&call.contract)?.restore(&call.base_path, call.target_timestamp)
            }
            "shutdown" => {
                protocol::params::<protocol::Shutdown>(params).map(|_| json!({"value": null}))
            }
            _ => Err(RpcError::MethodNotFound(format!("no method \"{method}\""))),
        }
    }

    fn hello(&self, hello: &protocol::Hello) -> Result<Value, RpcError> {
        if hello.protocol != protocol::VERSION {
            return Err(RpcError::InvalidParams(format!(
                "protocol {} is not spoken here; this adapter speaks {}",
                hello.protocol,
                protocol::VERSION
            )));
        }
        Ok(json!({
            "protocol": protocol::VERSION,
            "name": self.name,
            "version": self.version,
            "language": "Rust",
            "contracts": self.contracts(),
            "capabilities": [],
        }))
    }

    fn contracts(&self) -> Vec<&'static str> {
        self.served.iter().map(|(contract, _)| *contract).collect()
    }

    fn served(&mut self, contract: &str) -> Result<&mut dyn Served, RpcError> {
        let claimed = self.contracts().join(", ");
        match self.served.iter_mut().find(|(name, _)| *name == contract) {
            Some((_, implementation)) => Ok(implementation.as_mut()),
            None => Err(RpcError::InvalidParams(format!(
                "contract \"{contract}\" is not served here; this adapter serves: {claimed}"
            ))),
        }
    }
}

/// An implementation whose contract is known at run time only.
trait Served {
    fn create_backup(&mut self, base: &Path) -> Result<Value, RpcError>;
    fn list_backups(&mut self, base: &Path) -> Result<Value, RpcError>;
    fn restore(&mut self, base: &Path, target: u64) -> Result<Value, RpcError>;
}

impl<I: Implementation> Served for I {
    fn create_backup(&mut self, base: &Path) -> Result<Value, RpcError> {
        result(Implementation::create_backup(self, base))
    }

    fn list_backups(&mut self, base: &Path) -> Result<Value, RpcError> {
        result(Implementation::list_backups(self, base))
    }

    fn restore(&mut self, base: &Path, target: u64) -> Result<Value, RpcError> {
        result(self.restore_point_in_time(base, target))
    }
}

fn result<T: Serialize>(timed: Timed<T>) -> Result<Value, RpcError> {
    match timed.outcome {
        Ok(value) => {
            Ok(json!({"value": value, "elapsed_ns": protocol::nanoseconds(timed.elapsed)}))
        }
        Err(failure) => Err(RpcError::Implementation(failure, timed.elapsed)),
    }
}
