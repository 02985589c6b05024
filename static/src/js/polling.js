import { onArrival } from "./dom.js";

const HIDDEN = 8; // A tab nobody looks at asks that many times less often.
const LONGEST = 60_000;

/** How long to wait for the next poll. seconds: as the page asks; failures: in a row. */
export function pollDelay(seconds, failures, hidden) {
  const base = seconds * 1000 * (hidden ? HIDDEN : 1);
  return Math.min(LONGEST, base * 2 ** Math.min(failures, 6));
}

/** What to do with an answer: swap it in, keep what is there, stop, or swap and stop (286). */
export function pollDecision(status) {
  if (status === 286) return "last";
  if (status >= 200 && status < 300) return status === 204 ? "keep" : "swap";
  if (status === 304) return "keep";
  if ([401, 403, 404, 405, 410].includes(status)) return "stop";
  return "retry";
}

const busy = (element) =>
  element.matches(":has(:popover-open, details[data-keep][open])") ||
  (element.contains(document.activeElement) && document.activeElement.matches("input, select, textarea"));

/**
 * Elements with data-poll="url" replace themselves with what the url answers, every data-poll-seconds (2), until the
 * answer has no data-poll any more, or is 286, 403, 404 or 410. ETags are sent back, so that 304 costs nothing.
 */
export function startPolling(htmx) {
  const tags = new Map();
  const waiting = new Set();

  async function poll(element, failures) {
    if (!element.isConnected) return;
    if (busy(element)) return later(element, failures);
    const url = element.dataset.poll;
    let response;
    try {
      const headers = { "HX-Request": "true", "X-Poll": "1" };
      if (tags.has(url)) headers["If-None-Match"] = tags.get(url);
      response = await fetch(url, { headers, credentials: "same-origin", cache: "no-store", redirect: "manual" });
    } catch {
      return later(element, failures + 1);
    }
    // A redirect is the sign-in page: the session has ended.
    const decision = response.type === "opaqueredirect" ? "stop" : pollDecision(response.status);
    if (decision === "stop" || !element.isConnected) return undefined;
    if (decision === "retry") return later(element, failures + 1);
    if (decision === "keep") return later(element, 0);
    const etag = response.headers.get("ETag");
    if (etag) tags.set(url, etag);
    const text = await response.text();
    const trigger = response.headers.get("HX-Trigger");
    if (!element.isConnected) return undefined;
    htmx.swap(element, text, { swapStyle: "outerHTML", transition: false });
    if (trigger) announce(trigger);
    if (decision === "last") document.getElementById(element.id)?.removeAttribute("data-poll");
    return undefined;
  }

  function later(element, failures) {
    const seconds = Number(element.dataset.pollSeconds) || 2;
    const entry = { element, failures, timer: 0 };
    entry.timer = setTimeout(() => {
      waiting.delete(entry);
      poll(element, failures);
    }, pollDelay(seconds, failures, document.hidden));
    waiting.add(entry);
  }

  onArrival("[data-poll]", (element) => {
    if (element.hasAttribute("data-poll-now")) poll(element, 0);
    else later(element, 0);
  });
  // Whoever comes back to the tab, or to the network, sees the present state at once.
  const wake = () => {
    if (document.hidden) return;
    for (const entry of [...waiting]) {
      clearTimeout(entry.timer);
      waiting.delete(entry);
      poll(entry.element, 0);
    }
  };
  document.addEventListener("visibilitychange", wake);
  addEventListener("online", wake);
  // New work: the bell hears of it now, not at its next turn.
  document.addEventListener("upload-begun", wake);
}

/** Events that the server asks for in HX-Trigger, as htmx does for its own requests. */
function announce(header) {
  let events;
  try {
    events = JSON.parse(header);
  } catch {
    events = Object.fromEntries(header.split(",").map((name) => [name.trim(), null]));
  }
  for (const [name, detail] of Object.entries(events)) document.body.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
}
