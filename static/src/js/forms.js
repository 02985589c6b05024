import { on, onArrival } from "./dom.js";

function checkName(form) {
  const typed = form.elements.namedItem("confirm")?.value.trim();
  const button = form.querySelector("button[type=submit]");
  if (button) button.disabled = typed !== form.dataset.confirmName;
}

export function startForms() {
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

  // Empty fields of a filter do not clutter the address.
  document.addEventListener("htmx:configRequest", (event) => {
    if (!event.target.closest?.("[data-clean-url]")) return;
    const { parameters } = event.detail;
    for (const name of Object.keys(parameters)) if (parameters[name] === "") delete parameters[name];
  });
  on("submit", "form[data-clean-url]", (_event, form) => {
    for (const field of form.elements) if (field.name && field.value === "") field.disabled = true;
    setTimeout(() => {
      for (const field of form.elements) field.disabled = false;
    });
  });
  on("change", "[data-drop] input[type=file]", (_event, input) => showFile(input));
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

function showFile(input) {
  const area = input.closest("[data-drop]");
  const file = input.files[0];
  area.querySelector("[data-drop-name]").textContent = file ? `${file.name} · ${sizeOf(file.size)}` : "";
}

function sizeOf(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const step = bytes < 1 ? 0 : Math.min(4, Math.floor(Math.log2(bytes) / 10));
  return `${new Intl.NumberFormat(document.documentElement.lang, { maximumSignificantDigits: 3 }).format(bytes / 1024 ** step)} ${units[step]}`;
}
