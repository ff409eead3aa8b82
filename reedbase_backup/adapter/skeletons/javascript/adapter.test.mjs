// The adapter speaks the protocol; pytest-reedbackup tests the rest: see README.md.
import assert from "node:assert";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ADAPTER = fileURLToPath(new URL("adapter.mjs", import.meta.url));

test("it says hello and ends", () => {
  const requests = [
    { jsonrpc: "2.0", id: 1, method: "hello", params: { protocol: 1 } },
    { jsonrpc: "2.0", id: 2, method: "shutdown", params: {} },
  ];
  const input = requests.map((request) => `${JSON.stringify(request)}\n`).join("");
  const ended = spawnSync(process.execPath, [ADAPTER], { input, encoding: "utf-8" });
  const [hello, shutdown] = ended.stdout.trim().split("\n").map((line) => JSON.parse(line));
  assert.equal(hello.result.protocol, 1);
  assert.deepEqual(shutdown.result, { value: null });
  assert.equal(ended.status, 0);
});
