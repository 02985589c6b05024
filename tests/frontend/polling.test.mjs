import assert from "node:assert/strict";
import { test } from "node:test";
import { pollDecision, pollDelay } from "../../static/src/js/polling.js";

test("a hidden tab and failures slow the poll down, to at most a minute", () => {
  assert.equal(pollDelay(2, 0, false), 2000);
  assert.equal(pollDelay(2, 0, true), 16_000);
  assert.equal(pollDelay(2, 3, false), 16_000);
  assert.equal(pollDelay(2, 50, true), 60_000);
});

test("each answer has its consequence", () => {
  const expected = { 200: "swap", 204: "keep", 286: "last", 304: "keep", 401: "stop", 403: "stop", 404: "stop", 405: "stop", 410: "stop", 429: "retry", 500: "retry", 503: "retry" };
  for (const [status, decision] of Object.entries(expected)) assert.equal(pollDecision(Number(status)), decision, status);
});
