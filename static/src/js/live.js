import { onArrival } from "./dom.js";
import { morph } from "./morph.js";
import { pollDecision, pollDelay } from "./polling.js";

const QUIET = 15_000; // milliseconds between two announcements

/** Whether words are to be read out now: they changed, and the last ones are some time ago. */
export function toAnnounce(text, last, now) {
  return Boolean(text) && text !== last.text && now - last.at >= QUIET;
}

/** Whether an answer still belongs to the page: filters and pages may have changed while it was on its way. */
export function stillAsked(asked, here) {
  return asked === here;
}

/**
 * Elements with data-live="seconds" and an id keep themselves current: the page's own address is asked again, and what
 * differs is changed in place. One request serves all of them. A hidden tab asks nothing; nothing is touched under a
 * finger, an open menu, a marked text or while somebody types. [data-live-summary] is read out when it changes.
 */
export function startLive(htmx) {
  const tags = new Map();
  const last = { text: null, at: -QUIET };
  let timer = 0;
  let failures = 0;
  let pressed = false;

  const parts = () => [...document.querySelectorAll("[data-live][id]")];
  const address = () => location.pathname + location.search;

  function busy(part) {
    const selection = getSelection();
    const typing = document.activeElement?.matches("input:not([type=checkbox], [type=radio]), select, textarea");
    return (
      pressed ||
      part.matches(":has(:popover-open, .htmx-request), .htmx-request") ||
      (typing && part.contains(document.activeElement)) ||
      (!selection.isCollapsed && selection.containsNode(part, true))
    );
  }

  function later() {
    clearTimeout(timer);
    const found = parts();
    if (!found.length || document.hidden) return;
    const seconds = Math.min(...found.map((part) => Number(part.dataset.live) || 5));
    timer = setTimeout(ask, pollDelay(seconds, failures, false));
  }

  async function ask() {
    clearTimeout(timer);
    if (document.hidden || !parts().length) return undefined;
    const asked = address();
    const headers = { "HX-Request": "true", "X-Poll": "1" };
    if (tags.has(asked)) headers["If-None-Match"] = tags.get(asked);
    let response;
    try {
      response = await fetch(asked, { headers, credentials: "same-origin", cache: "no-store", redirect: "manual" });
    } catch {
      failures += 1;
      return later();
    }
    const decision = response.type === "opaqueredirect" ? "stop" : pollDecision(response.status);
    if (decision === "stop") return undefined;
    failures = decision === "retry" ? failures + 1 : 0;
    if (decision === "swap") show(await response.text(), asked, response.headers.get("ETag"));
    return later();
  }

  function show(text, asked, etag) {
    const found = parts();
    if (!stillAsked(asked, address()) || found.some(busy)) return;
    const answer = new DOMParser().parseFromString(text, "text/html");
    for (const part of found) {
      const fresh = answer.getElementById(part.id);
      if (fresh) renew(part, fresh);
    }
    if (etag) tags.set(asked, etag);
    document.dispatchEvent(new CustomEvent("live:renewed"));
    announce();
  }

  function renew(part, fresh) {
    const focused = part.contains(document.activeElement) ? document.activeElement : null;
    morph(part, fresh);
    htmx.process(part);
    // A row that moved loses the focus on its way; one that is gone leaves it to the list.
    if (!focused || document.activeElement === focused) return;
    if (!focused.isConnected) part.tabIndex = -1;
    (focused.isConnected ? focused : part).focus({ preventScroll: true });
  }

  function announce() {
    const text = document.querySelector("[data-live-summary]")?.dataset.liveSummary ?? "";
    const now = performance.now();
    const place = document.getElementById("live-status");
    if (last.text === null) last.text = text;
    if (!place || !toAnnounce(text, last, now)) return;
    Object.assign(last, { text, at: now });
    place.textContent = text;
  }

  onArrival("[data-live][id]", () => {
    last.text = document.querySelector("[data-live-summary]")?.dataset.liveSummary ?? null;
    later();
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : ask()));
  addEventListener("online", ask);
  document.addEventListener("pointerdown", () => (pressed = true), true);
  for (const type of ["pointerup", "pointercancel"]) document.addEventListener(type, () => setTimeout(() => (pressed = false)), true);
}
