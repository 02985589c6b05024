import { on } from "./dom.js";

/** Copy text and let the button say so for two seconds. */
export async function copyText(text, button) {
  await navigator.clipboard.writeText(text);
  const label = button.getAttribute("aria-label");
  const use = button.querySelector("use");
  const shape = use?.getAttribute("href");
  button.classList.add("is-copied");
  if (button.dataset.copied) button.setAttribute("aria-label", button.dataset.copied);
  if (shape) use.setAttribute("href", shape.replace(/#.*/, "#check"));
  setTimeout(() => {
    button.classList.remove("is-copied");
    if (label) button.setAttribute("aria-label", label);
    if (shape) use.setAttribute("href", shape);
  }, 2000);
}

/** What a copy button copies: its own text, or that of the element it names. */
export function textOf(button) {
  if (button.dataset.copy) return button.dataset.copy;
  const source = button.dataset.copyFrom ? document.querySelector(button.dataset.copyFrom) : null;
  return (source?.value ?? source?.textContent ?? "").trim();
}

export function startCopy() {
  on("click", "[data-copy], [data-copy-from]", (_event, button) => copyText(textOf(button), button));
}
