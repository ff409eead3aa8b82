// An adapter: it answers pytest-reedbackup on stdin and stdout. Fill in the three functions.
import { createInterface } from "node:readline";

const ABOUT = {
  protocol: 1,
  name: "my-backup",
  version: "0.1.0",
  language: "JavaScript",
  contracts: ["ticket"],
  capabilities: [],
};

/** An error of the contract: its kind (`IoError`, `NoTablesFound`, …) with its fields. */
class Refused extends Error {
  constructor(kind, message, fields) {
    super(message);
    Object.assign(this, { kind, fields });
  }
}

const toBeWritten = (operation) =>
  new Refused("ToBeWritten", `${operation} is to be written`, { operation });

const FUNCTIONS = {
  // Returns { id, timestamp, size_bytes, table_count, compression: "gzip" }.
  create_backup({ base_path }) {
    throw toBeWritten("create_backup");
  },
  // Returns an array of what create_backup returns, newest first.
  list_backups({ base_path }) {
    throw toBeWritten("list_backups");
  },
  // Returns { tables_restored, total_bytes, duration_ms }. The target is a BigInt, in Unix seconds.
  restore_point_in_time({ base_path, target_timestamp }) {
    throw toBeWritten("restore_point_in_time");
  },
};

// JSON.parse reads doubles and rounds above 2^53, and times go up to 2^64-1: they are BigInts here.
// A BigInt in a reply is written as an integer, exactly.
const TIMES = /(?<!\\)("(?:target_timestamp|now_ns)":\s*)(\d+)/g;
const read = (line) =>
  JSON.parse(line.replace(TIMES, '$1"$2"'), (name, value) =>
    ["target_timestamp", "now_ns"].includes(name) ? BigInt(value) : value,
  );
const written = (reply) =>
  JSON.stringify(reply, (_, value) =>
    typeof value === "bigint" ? `\u0000${value}` : value,
  ).replace(/"\\u0000(\d+)"/g, "$1");

function called(method, params) {
  const started = process.hrtime.bigint();
  try {
    const value = FUNCTIONS[method](params);
    return { result: { value, elapsed_ns: process.hrtime.bigint() - started } };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const elapsed_ns = process.hrtime.bigint() - started;
    const data = { kind: error.kind, fields: error.fields, elapsed_ns };
    return { error: { code: -32000, message: error.message, data } };
  }
}

function answered({ id, method, params }) {
  let reply = { error: { code: -32601, message: `no method ${method}` } };
  if (method === "hello") reply = { result: ABOUT };
  else if (method === "shutdown") reply = { result: { value: null } };
  else if (method in FUNCTIONS) reply = called(method, params);
  return { jsonrpc: "2.0", id, ...reply };
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = read(line);
  process.stdout.write(`${written(answered(request))}\n`);
  if (request.method === "shutdown") break; // it ends when stdin closes, too
}
process.stdin.destroy();
