// Choosing nodes, the form that adds a user, and the live tail of a file. Everything works without, by forms and links.
import { csrfToken } from "../js/dom.js";
import { Selection } from "../js/selection.js";

const TAIL_SECONDS = 2;
const TAIL_MOST = 1_000_000; // characters that stay in the page

// --- Choosing nodes ------------------------------------------------------------------------------------------------
const chosen = new Selection();
const boxes = () => [...document.querySelectorAll('input[name="node"][form="node-selection"]')];

// The list is there, anew or changed: bring its boxes to what is chosen.
function showSelection() {
  const bar = document.querySelector("[data-selection]");
  if (!bar) return;
  chosen.arrive(bar.querySelector("input[name='query']").value);
  const found = boxes();
  const shown = found.map((box) => box.value);
  for (const box of found) Object.assign(box, { checked: chosen.has(box.value), disabled: chosen.all });
  bar.querySelector("[data-select-matching]").checked = chosen.all;
  const page = document.querySelector("[data-select-page]");
  const state = chosen.page(shown);
  if (page) Object.assign(page, { disabled: chosen.all, checked: state === "all", indeterminate: state === "some" });
  const words = bar.querySelector("[data-selection-count]");
  const text = chosen.text(shown, words.dataset);
  if (words.textContent !== text) words.textContent = text;
  bar.querySelector("[data-select-nothing]").hidden = !chosen.size || chosen.all;
  for (const button of document.querySelectorAll("button[form='node-selection']")) button.disabled = !chosen.all && !chosen.size;
}

document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-select-page]")) for (const box of boxes()) chosen.set(box.value, target.checked);
  else if (target.matches("[data-select-matching]")) chosen.all = target.checked;
  else if (target.matches("input[name='node'][form='node-selection']")) chosen.set(target.value, target.checked);
  else return;
  showSelection();
});
document.addEventListener("click", ({ target }) => {
  if (!target.closest("[data-select-nothing]")) return;
  chosen.clear();
  showSelection();
  document.querySelector("[data-select-matching]")?.focus();
});
// Nodes that were chosen on other pages go along.
document.addEventListener("submit", ({ target }) => {
  if (target.id !== "node-selection") return;
  for (const field of target.querySelectorAll("[data-elsewhere]")) field.remove();
  if (chosen.all) return;
  for (const value of chosen.elsewhere(boxes().map((box) => box.value))) {
    const field = Object.assign(document.createElement("input"), { type: "hidden", name: "node", value });
    field.dataset.elsewhere = "";
    target.append(field);
  }
});
for (const type of ["htmx:afterSettle", "live:renewed"]) document.addEventListener(type, showSelection);
// What the browser ticked again after going back counts.
addEventListener("pageshow", () => {
  for (const box of boxes()) if (box.checked) chosen.set(box.value, true);
  if (document.querySelector("[data-select-matching]")?.checked) chosen.all = true;
  showSelection();
});

// --- Adding a user -------------------------------------------------------------------------------------------------
function showWay(form) {
  const way = form.querySelector("input[name='way']:checked")?.value ?? "password";
  for (const part of form.querySelectorAll("[data-way]")) part.hidden = part.dataset.way !== way;
}

async function generate(button) {
  const response = await fetch(button.dataset.generate, { method: "POST", headers: { "X-CSRFToken": csrfToken() } });
  if (response.ok) button.closest("form").querySelector("input[name='password']").value = await response.text();
}

for (const form of document.querySelectorAll("[data-user-form]")) {
  form.addEventListener("change", () => showWay(form));
  const button = form.querySelector("[data-generate]");
  button.hidden = false;
  button.addEventListener("click", () => generate(button));
  showWay(form);
}

// A page that answered a form gets the address under which it can be read again: a reload sends nothing twice.
const place = document.querySelector("[data-address]");
if (place) history.replaceState(null, "", place.dataset.address);

// --- Live tail -----------------------------------------------------------------------------------------------------
function startTail(text) {
  const follow = document.querySelector("[data-tail-follow]");
  let from = Number(text.dataset.tailFrom);
  follow.closest("label").hidden = false;
  text.scrollTop = text.scrollHeight;

  async function look() {
    const response = await fetch(`${text.dataset.tail}&from=${from}`, { headers: { Accept: "application/json" } });
    if (!response.ok) return false;
    const piece = await response.json();
    if (piece.from < from) text.textContent = "";
    const atEnd = text.scrollTop + text.clientHeight >= text.scrollHeight - 8;
    if (piece.text) text.append(piece.text);
    if (text.textContent.length > TAIL_MOST) text.textContent = text.textContent.slice(-TAIL_MOST / 2);
    if (atEnd) text.scrollTop = text.scrollHeight;
    from = piece.next;
    return from < piece.size;
  }

  async function again() {
    let more = false;
    if (follow.checked && !document.hidden) more = await look().catch(() => false);
    setTimeout(again, more ? 50 : TAIL_SECONDS * 1000);
  }
  setTimeout(again, TAIL_SECONDS * 1000);
}

const tail = document.querySelector("[data-tail]");
if (tail) startTail(tail);
