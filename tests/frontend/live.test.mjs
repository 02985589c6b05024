import assert from "node:assert/strict";
import { test } from "node:test";
import { stillAsked, toAnnounce } from "../../static/src/js/live.js";

test("only news is read out, and not too often", () => {
  const last = { text: "3 Idle", at: 1000 };
  assert.equal(toAnnounce("3 Idle", last, 100_000), false);
  assert.equal(toAnnounce("2 Idle, 1 Running", last, 2000), false);
  assert.equal(toAnnounce("2 Idle, 1 Running", last, 16_000), true);
  assert.equal(toAnnounce("", last, 100_000), false);
});

test("an answer to another filter is not shown", () => {
  assert.equal(stillAsked("/nodes/?state=idle", "/nodes/?state=idle"), true);
  assert.equal(stillAsked("/nodes/?state=idle", "/nodes/"), false);
});
