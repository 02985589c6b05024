import { on } from "./dom.js";

const host = () => document.getElementById("dialog");

function show() {
  const dialog = host();
  const content = document.querySelector("#dialog-content [data-dialog-content]");
  if (!content) return dialog.close();
  document.getElementById("dialog-title").textContent = content.dataset.dialogTitle ?? "";
  dialog.classList.toggle("bp-dialog-wide", content.hasAttribute("data-dialog-wide"));
  if (!dialog.open) dialog.showModal();
  (dialog.querySelector("[autofocus], [aria-invalid=true]") ?? dialog.querySelector("input:not([type=hidden]), select, textarea"))?.focus();
}

export function startDialogs(htmx) {
  // A link to a page opens that page's dialog content; with a modifier key, or without it there, it is a plain link.
  on("click", "a[data-dialog]", async (event, link) => {
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    link.setAttribute("aria-busy", "true");
    try {
      await htmx.ajax("GET", link.href, { source: link, target: "#dialog-content", select: "[data-dialog-content]", swap: "innerHTML" });
    } finally {
      link.removeAttribute("aria-busy");
    }
    if (document.querySelector("#dialog-content [data-dialog-content]")) show();
    else location.assign(link.href);
  });
  on("click", "dialog [data-dialog-close]", (event, button) => {
    event.preventDefault();
    button.closest("dialog").close();
  });
  on("click", "dialog", (event, dialog) => {
    const box = dialog.getBoundingClientRect();
    const outside = event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
    // A press on the backdrop, not the synthetic click of a key.
    if (event.target === dialog && event.detail && outside) dialog.close();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (host()?.open && host().contains(event.target)) show();
  });
  document.addEventListener("close-dialog", () => host()?.close());
  host()?.addEventListener("close", () => document.getElementById("dialog-content").replaceChildren());
}
