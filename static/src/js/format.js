// Pure functions: sizes, durations and relative times in the page's language.
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** Bytes in binary units with three significant digits, as the server's size_text: 1.20 GiB. */
export function sizeText(bytes, locale = "en") {
  let value = bytes;
  let step = 0;
  while (step < UNITS.length - 1 && Math.abs(value) >= (step === 0 ? 1024 : 1023.5)) {
    value /= 1024;
    step += 1;
  }
  const digits = step === 0 ? 0 : Math.abs(value) < 9.995 ? 2 : Math.abs(value) < 99.95 ? 1 : 0;
  const number = new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: false });
  return `${number.format(value)} ${UNITS[step]}`;
}

/** Seconds by the two largest units: 1 h 5 min. */
export function durationText(seconds, locale = "en") {
  if (!Number.isFinite(seconds)) return "";
  const whole = Math.max(0, Math.round(seconds));
  const parts = [
    [Math.floor(whole / 86400), "day"],
    [Math.floor(whole / 3600) % 24, "hour"],
    [Math.floor(whole / 60) % 60, "minute"],
    [whole % 60, "second"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  const shown = first < 0 ? [[0, "second"]] : parts.slice(first, first + 2).filter(([count]) => count > 0);
  return shown
    .map(([count, unit]) => new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "short" }).format(count))
    .join(" ");
}

const STEPS = [
  [45, 1, "second"],
  [45 * 60, 60, "minute"],
  [22 * 3600, 3600, "hour"],
  [26 * 86400, 86400, "day"],
];

/** How long ago, or until: "3 minutes ago". Null when it is so far that the date says more. */
export function relativeText(milliseconds, locale = "en") {
  const seconds = milliseconds / 1000;
  const form = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  for (const [limit, divisor, unit] of STEPS) {
    if (Math.abs(seconds) < limit) return form.format(Math.sign(seconds) * Math.round(Math.abs(seconds) / divisor), unit);
  }
  return null;
}

/** Milliseconds until relativeText may say something else. */
export function nextChange(milliseconds) {
  const age = Math.abs(milliseconds);
  if (age < 60_000) return 1000;
  return age < 3600_000 ? 20_000 : 300_000;
}

/**
 * Speed over the last seconds, so that it follows the line and does not jump.
 * add(bytes, at) takes the total sent until a moment in milliseconds; perSecond() is null until two samples lie apart.
 */
export class Speed {
  #samples = [];

  constructor(window = 8000) {
    this.window = window;
  }

  reset() {
    this.#samples = [];
  }

  add(bytes, at) {
    this.#samples.push([at, bytes]);
    while (this.#samples.length > 2 && at - this.#samples[0][0] > this.window) this.#samples.shift();
  }

  perSecond() {
    if (this.#samples.length < 2) return null;
    const [start, from] = this.#samples[0];
    const [end, to] = this.#samples.at(-1);
    return end - start < 500 || to <= from ? null : ((to - from) * 1000) / (end - start);
  }
}
