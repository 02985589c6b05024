const FORM = "__all__";

/** Show the server's errors ({field: [text]}) at their fields; what belongs to no field goes to the top of the form. */
export function showErrors(form, errors) {
  clearErrors(form);
  const loose = [];
  let first = null;
  for (const [name, texts] of Object.entries(errors)) {
    const field = name === FORM ? null : form.querySelector(`[data-field="${CSS.escape(name)}"]`);
    if (!field) {
      loose.push(...texts);
      continue;
    }
    field.querySelector("[data-errors]").replaceChildren(...texts.map(errorItem));
    field.querySelector("[data-drop]")?.toggleAttribute("data-invalid", true);
    const control = field.querySelector("input, select, textarea");
    control?.setAttribute("aria-invalid", "true");
    first ??= control;
  }
  if (loose.length) showLoose(form, loose);
  (first ?? form.querySelector("[data-form-errors]"))?.focus();
}

export function clearErrors(form) {
  form.querySelectorAll("[data-errors], [data-form-errors]").forEach((place) => place.replaceChildren());
  form.querySelectorAll("[aria-invalid]").forEach((control) => control.removeAttribute("aria-invalid"));
  form.querySelectorAll("[data-invalid]").forEach((area) => area.removeAttribute("data-invalid"));
}

function errorItem(text) {
  const item = document.querySelector("template[data-error-template]").content.firstElementChild.cloneNode(true);
  item.querySelector("span").textContent = text;
  return item;
}

function showLoose(form, texts) {
  const place = form.querySelector("[data-form-errors]");
  const box = document.querySelector("template[data-form-error-template]").content.firstElementChild.cloneNode(true);
  box.querySelector("[data-texts]").append(
    ...texts.map((text) => {
      const line = document.createElement("div");
      line.textContent = text;
      return line;
    }),
  );
  place.tabIndex = -1;
  place.replaceChildren(box);
}
