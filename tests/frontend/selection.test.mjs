import assert from "node:assert/strict";
import { test } from "node:test";
import { Selection, filterOf } from "../../static/src/js/selection.js";

const WORDS = { none: "Choose nodes", one: "1 node chosen", many: "%s nodes chosen", elsewhere: "%s of them not on this page" };

test("page and order are no filter", () => {
  assert.equal(filterOf("state=idle&page=3&sort=-boot&pool=a"), filterOf("pool=a&state=idle"));
  assert.notEqual(filterOf("state=idle"), filterOf("state=running"));
  assert.equal(filterOf(""), "");
});

test("what is chosen stays from page to page and goes with the filter", () => {
  const chosen = new Selection();
  chosen.arrive("pool=a");
  chosen.set("a/1", true);
  chosen.set("a/2", true);
  chosen.arrive("pool=a&page=2&sort=state");
  assert.deepEqual([chosen.size, chosen.has("a/1")], [2, true]);
  assert.deepEqual(chosen.elsewhere(["a/2", "a/3"]), ["a/1"]);
  chosen.arrive("pool=b");
  assert.equal(chosen.size, 0);
});

test("all that match is forgotten with the filter too", () => {
  const chosen = new Selection();
  chosen.arrive("");
  chosen.all = true;
  chosen.arrive("page=2");
  assert.equal(chosen.all, true);
  chosen.arrive("state=idle");
  assert.equal(chosen.all, false);
});

test("the box at the head knows all, some and none", () => {
  const chosen = new Selection();
  assert.equal(chosen.page(["a", "b"]), "none");
  chosen.set("a", true);
  assert.equal(chosen.page(["a", "b"]), "some");
  chosen.set("b", true);
  assert.equal(chosen.page(["a", "b"]), "all");
  assert.equal(chosen.page([]), "none");
  chosen.set("a", false);
  assert.equal(chosen.page(["a", "b"]), "some");
});

test("words say how many, and how many of them are not in sight", () => {
  const chosen = new Selection();
  assert.equal(chosen.text(["a"], WORDS), "Choose nodes");
  chosen.set("a", true);
  assert.equal(chosen.text(["a"], WORDS), "1 node chosen");
  chosen.set("b", true);
  assert.equal(chosen.text(["a"], WORDS), "2 nodes chosen, 1 of them not on this page");
  chosen.all = true;
  assert.equal(chosen.text(["a"], WORDS), "");
});
