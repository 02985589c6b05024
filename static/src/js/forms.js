import { on, onArrival } from "./dom.js";
import { sizeText } from "./format.js";

function checkName(form) {
  const typed = form.elements.namedItem("confirm")?.value.trim();
  const button = form.querySelector("button[type=submit]");
  if (button) button.disabled = typed !== form.dataset.confirmName;
}

/** Lead to the first field that was refused: whoever pressed the button at the end of a long form does not see it. */
export function showRefused(root) {
  const found = root.querySelector("form [aria-invalid=true], form .bp-error");
  if (!found) return;
  found.scrollIntoView({ block: "center" });
  if (found.matches("input, select, textarea")) found.focus({ preventScroll: true });
}

export function startForms() {
  document.addEventListener("htmx:afterSettle", ({ target, detail }) => {
    if (detail.xhr?.status === 422 && !target.closest("dialog")) showRefused(target.parentElement ?? document);
  });
  // A whole page as the answer to a form; browsers that do not tell its status stay at the top.
  if (performance.getEntriesByType("navigation")[0]?.responseStatus === 422) showRefused(document);


  // "Type the name": the button wakes up when the name is right. The server checks it again.
  onArrival("form[data-confirm-name]", checkName);
  on("input", "form[data-confirm-name]", (_event, form) => checkName(form));

  // A double click sends a plain form once.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("hx-post")) return;
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "true";
    event.submitter?.setAttribute("aria-busy", "true");
  });
  // A page that comes back from the browser's cache is ready again.
  addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-sent]").forEach((form) => {
      delete form.dataset.sent;
      form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
    });
  });

  startFilters();
  on("change", "[data-drop] input[type=file]", (_event, input) => showFile(input));
  // The event comes before the fields are empty.
  on("reset", "form", (_event, form) => setTimeout(() => form.querySelectorAll("[data-drop] input[type=file]").forEach(showFile)));
  for (const type of ["dragenter", "dragover"]) {
    on(type, "[data-drop]", (_event, area) => area.classList.add("is-over"));
  }
  for (const type of ["dragleave", "drop"]) {
    on(type, "[data-drop]", (_event, area) => area.classList.remove("is-over"));
  }
  // A file dropped beside the area must not replace the page.
  for (const type of ["dragover", "drop"]) {
    document.addEventListener(type, (event) => {
      if (document.querySelector("[data-drop]") && !event.target.closest?.("[data-drop]")) event.preventDefault();
    });
  }
}

/** A filter form sends itself while somebody types, and at once when they choose. */
function startFilters() {
  const timers = new WeakMap();
  on("input", "form[data-filter]", (event, form) => {
    clearTimeout(timers.get(form));
    timers.set(form, setTimeout(() => form.isConnected && form.requestSubmit(), event.target.type === "search" ? 300 : 0));
  });
  // Empty fields stay out of the address.
  document.addEventListener("htmx:configRequest", (event) => {
    if (!event.target.matches?.("[data-filter]")) return;
    const { formData } = event.detail;
    for (const name of new Set(formData.keys())) if (formData.get(name) === "") formData.delete(name);
  });
}

function showFile(input) {
  const area = input.closest("[data-drop]");
  const file = input.files[0];
  area.querySelector("[data-drop-name]").textContent = file ? `${file.name} · ${sizeText(file.size, document.documentElement.lang || "en")}` : "";
}
