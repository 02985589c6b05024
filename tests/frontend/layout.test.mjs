import assert from "node:assert/strict";
import { test } from "node:test";
import { fitting } from "../../static/src/js/commandbar.js";
import { placeBelow } from "../../static/src/js/menus.js";
import { wasRedirected } from "../../static/src/js/navigation.js";
import { applyTheme } from "../../static/src/js/theme.js";

test("commands that fit stay; room is kept for the menu button only when some do not", () => {
  assert.equal(fitting([100, 100, 100], 300, 48), 3);
  assert.equal(fitting([100, 100, 100], 299, 48), 2);
  assert.equal(fitting([100, 100, 100], 240, 48), 1);
  assert.equal(fitting([100], 20, 48), 0);
  assert.equal(fitting([], 300, 48), 0);
});

test("a menu opens below its button and inside the window", () => {
  const view = { width: 390, height: 800 };
  const size = { width: 200, height: 300 };
  assert.deepEqual(placeBelow({ top: 10, bottom: 40, left: 340, right: 380 }, size, view), { top: 44, left: 180 });
  assert.deepEqual(placeBelow({ top: 700, bottom: 730, left: 340, right: 380 }, size, view), { top: 396, left: 180 });
  assert.deepEqual(placeBelow({ top: 10, bottom: 40, left: 10, right: 50 }, size, view), { top: 44, left: 10 });
});

test("a redirect is known by the address that answered", () => {
  const base = "http://portal.test/batch/a/applications/";
  assert.ok(!wasRedirected("/batch/a/delete/", "http://portal.test/batch/a/delete/", base));
  assert.ok(wasRedirected("/batch/a/delete/", "http://portal.test/batch/a/", base));
  assert.ok(!wasRedirected("", base, base));
  assert.ok(!wasRedirected("/x/", "", base));
});

test("the system's theme is the absence of a choice", () => {
  const root = { dataset: {} };
  applyTheme(root, "dark");
  assert.equal(root.dataset.bsTheme, "dark");
  applyTheme(root, "system");
  assert.deepEqual(root.dataset, {});
});
