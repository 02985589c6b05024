import { isTyping, on } from "./dom.js";
import { toggleMenu } from "./menus.js";

const openList = () => document.getElementById("shortcuts")?.showModal();

const SHORTCUTS = {
  "/": () => focus("#global-search") || focus("[data-list] input[type=search]"),
  f: () => focus("[data-list] input[type=search], [data-list] select"),
  r: () => document.querySelector("[data-refresh], .bp-list-meta a[hx-get]")?.click(),
  o: () => document.getElementById("bell")?.togglePopover(),
  m: toggleMenu,
  "?": openList,
};

function focus(selector) {
  const element = document.querySelector(selector);
  element?.focus();
  element?.select?.();
  return Boolean(element);
}

export function startShortcuts() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    const action = SHORTCUTS[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
  on("click", "[data-shortcuts-open]", (_event, button) => {
    button.closest("[popover]")?.hidePopover();
    openList();
  });
}
