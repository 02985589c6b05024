import { on } from "./dom.js";

export function applyTheme(root, theme) {
  if (theme === "light" || theme === "dark") root.dataset.bsTheme = theme;
  else delete root.dataset.bsTheme;
}

/** Show a chosen theme at once; the form tells the server in the background. */
export function startTheme() {
  on("submit", "form[data-theme-form]", (event, form) => {
    if (event.submitter?.name !== "theme") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const theme = event.submitter.value;
    applyTheme(document.documentElement, theme);
    form.querySelectorAll("button[name=theme]").forEach((button) => button.setAttribute("aria-pressed", String(button.value === theme)));
    const data = new FormData(form);
    data.set("theme", theme);
    fetch(form.action, { method: "POST", body: data, headers: { "HX-Request": "true" }, redirect: "manual" });
  });
}
