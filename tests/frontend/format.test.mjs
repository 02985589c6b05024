import assert from "node:assert/strict";
import { test } from "node:test";
import { Speed, durationText, nextChange, relativeText, sizeText } from "../../static/src/js/format.js";

const plain = (text) => text.replace(/[\u00a0\u202f]/g, " ");

test("sizes have three significant digits and never reach 1024 of a unit", () => {
  const cases = [
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.00 KiB"],
    [1_288_490_189, "1.20 GiB"],
    [34.5 * 1024 ** 2, "34.5 MiB"],
    [678 * 1024 ** 3, "678 GiB"],
    [1023.6 * 1024, "1.00 MiB"],
    [9.996 * 1024, "10.0 KiB"],
  ];
  for (const [bytes, text] of cases) assert.equal(sizeText(bytes), text);
  assert.equal(sizeText(1536, "de"), "1,50 KiB");
});

test("durations show the two largest units", () => {
  assert.equal(plain(durationText(0)), "0 sec");
  assert.equal(plain(durationText(65)), "1 min 5 sec");
  assert.equal(plain(durationText(3600)), "1 hr");
  assert.equal(plain(durationText(90_061)), "1 day 1 hr");
  assert.equal(durationText(Infinity), "");
});

test("relative times round, and give up where the date says more", () => {
  assert.equal(relativeText(-12_000), "12 seconds ago");
  assert.equal(relativeText(-90_000), "2 minutes ago");
  assert.equal(relativeText(3 * 3600_000), "in 3 hours");
  assert.equal(relativeText(-86400_000), "yesterday");
  assert.equal(relativeText(-40 * 86400_000), null);
  assert.equal(relativeText(-60_000, "de"), "vor 1 Minute");
});

test("young times are looked at more often than old ones", () => {
  assert.ok(nextChange(-5000) < nextChange(-600_000));
  assert.ok(nextChange(-600_000) < nextChange(-86400_000));
});

test("speed follows the last seconds only", () => {
  const speed = new Speed(4000);
  assert.equal(speed.perSecond(), null);
  speed.add(0, 0);
  assert.equal(speed.perSecond(), null);
  for (let second = 1; second <= 10; second += 1) speed.add(second * 1000, second * 1000);
  assert.equal(speed.perSecond(), 1000);
  for (let second = 11; second <= 20; second += 1) speed.add(10_000 + (second - 10) * 5000, second * 1000);
  assert.equal(speed.perSecond(), 5000);
});

test("speed is unknown while nothing moves and after a reset", () => {
  const speed = new Speed();
  speed.add(500, 0);
  speed.add(500, 3000);
  assert.equal(speed.perSecond(), null);
  speed.add(900, 4000);
  speed.reset();
  assert.equal(speed.perSecond(), null);
});
