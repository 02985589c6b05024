import { onArrival } from "./dom.js";
import { nextChange, relativeText } from "./format.js";

function update(element, now) {
  element.dataset.absolute ??= element.textContent;
  const text = relativeText(Date.parse(element.dateTime) - now, document.documentElement.lang || "en");
  const shown = text ?? element.dataset.absolute;
  if (element.textContent !== shown) element.textContent = shown;
}

/** Keep "3 minutes ago" true, as often as the youngest time on the page needs. */
export function startTimes() {
  let timer = 0;
  const tick = () => {
    const now = Date.now();
    let wait = 300_000;
    document.querySelectorAll("time[data-relative]").forEach((element) => {
      update(element, now);
      wait = Math.min(wait, nextChange(now - Date.parse(element.dateTime)));
    });
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(tick, wait);
  };
  onArrival("time[data-relative]", (element) => {
    update(element, Date.now());
    clearTimeout(timer);
    timer = setTimeout(tick, 1000);
  });
  document.addEventListener("visibilitychange", tick);
}
