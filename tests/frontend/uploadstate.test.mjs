import assert from "node:assert/strict";
import { test } from "node:test";
import { combined, errorKind, forget, isSameFile, recall, remember, share, shouldRetry } from "../../static/src/js/uploadstate.js";

const DAY = 86400_000;

class Shelf {
  constructor(content = {}) {
    this.content = content;
  }
  getItem(key) {
    return this.content[key] ?? null;
  }
  setItem(key, value) {
    this.content[key] = value;
  }
}

test("an upload is remembered until it is forgotten", () => {
  const shelf = new Shelf();
  remember(shelf, { operation: "a", title: "blender 4.2" }, 1000);
  remember(shelf, { operation: "b", title: "ffmpeg 6" }, 2000);
  assert.deepEqual(Object.keys(recall(shelf, 3000)), ["a", "b"]);
  forget(shelf, "a");
  assert.deepEqual(Object.keys(recall(shelf, 3000)), ["b"]);
  assert.equal(recall(shelf, 3000).b.title, "ffmpeg 6");
});

test("what is older than a week is not offered any more", () => {
  const shelf = new Shelf();
  remember(shelf, { operation: "a" }, 0);
  assert.deepEqual(Object.keys(recall(shelf, 6 * DAY)), ["a"]);
  assert.deepEqual(recall(shelf, 8 * DAY), {});
});

test("damaged or full storage never breaks an upload", () => {
  const damaged = new Shelf({ "batchportal.uploads": "{oops" });
  assert.deepEqual(recall(damaged, 1), {});
  const full = new Shelf();
  full.setItem = () => {
    throw new Error("quota");
  };
  remember(full, { operation: "a" }, 1);
  assert.deepEqual(recall(full, 1), {});
});

test("a file is the same by name, size and date", () => {
  const entry = { name: "a.zip", size: 5, modified: 7 };
  assert.ok(isSameFile(entry, { name: "a.zip", size: 5, lastModified: 7 }));
  assert.ok(!isSameFile(entry, { name: "b.zip", size: 5, lastModified: 7 }));
  assert.ok(!isSameFile(entry, { name: "a.zip", size: 6, lastModified: 7 }));
  assert.ok(!isSameFile(entry, { name: "a.zip", size: 5, lastModified: 8 }));
});

test("a bar is full only when all is there", () => {
  assert.equal(share(0, 10), 0);
  assert.equal(share(9999, 10_000), 99);
  assert.equal(share(10, 10), 100);
  assert.equal(share(0, 0), 100);
  assert.equal(combined(100, 99), 99);
  assert.equal(combined(64, 34), 49);
  assert.equal(combined(100, 100), 100);
});

test("errors are told apart: start again, not allowed, try again", () => {
  assert.equal(errorKind(404), "gone");
  assert.equal(errorKind(410), "gone");
  assert.equal(errorKind(413), "refused");
  assert.equal(errorKind(0), "failed");
  assert.equal(errorKind(503), "failed");
});

test("what may pass by itself is tried again", () => {
  for (const status of [0, 408, 409, 423, 429, 500, 503, 507]) assert.ok(shouldRetry(status), String(status));
  for (const status of [400, 403, 404, 410, 413, 422]) assert.ok(!shouldRetry(status), String(status));
});
