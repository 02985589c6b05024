import { on, onArrival } from "./dom.js";

const STAY = 8000;

/** Show a notice. tone: neutral, info, success, warning or danger. */
export function toast({ tone = "info", text, href = "", link = "" }) {
  const template = document.querySelector(`template[data-toast-template="${CSS.escape(tone)}"]`);
  const host = document.getElementById("toasts");
  if (!template || !host) return;
  const element = template.content.firstElementChild.cloneNode(true);
  element.querySelector("[data-toast-text]").textContent = text;
  const anchor = element.querySelector("[data-toast-link]");
  if (href) {
    anchor.href = href;
    anchor.hidden = false;
    if (link) anchor.textContent = link;
  }
  host.append(element);
}

/** A sentence of the page that scripts say, in the person's language. */
export function noticeText(word) {
  return document.querySelector("template[data-notices]")?.content.querySelector(`[data-notice="${word}"]`)?.textContent;
}

function leaveLater(element) {
  if (!["info", "success", "neutral"].includes(element.dataset.tone)) return;
  let timer = 0;
  const start = () => {
    timer = setTimeout(() => element.remove(), STAY);
  };
  const stop = () => clearTimeout(timer);
  // A notice that somebody reads or has focused stays.
  for (const type of ["pointerenter", "focusin"]) element.addEventListener(type, stop);
  for (const type of ["pointerleave", "focusout"]) element.addEventListener(type, start);
  start();
}

export function startToasts() {
  onArrival("#toasts > [data-toast]", leaveLater);
  on("click", "[data-toast-close]", (_event, button) => button.closest("[data-toast]")?.remove());
  on("click", "[data-reason]", (_event, button) => toast({ tone: "info", text: button.dataset.reason }));
  document.addEventListener("toast", (event) => toast(event.detail));
}
