// Choosing nodes, the form that adds a user, and the live tail of a file. Everything works without, by forms and links.
import { csrfToken } from "../js/dom.js";

const TAIL_SECONDS = 2;
const TAIL_MOST = 1_000_000; // characters that stay in the page

// --- Choosing nodes ------------------------------------------------------------------------------------------------
const boxes = () => [...document.querySelectorAll('input[name="node"][form="node-selection"]')];

function showSelection() {
  const bar = document.querySelector("[data-selection]");
  if (!bar) return;
  const all = bar.querySelector("[data-select-matching]");
  const found = boxes();
  for (const box of found) box.disabled = all.checked;
  const page = document.querySelector("[data-select-page]");
  const count = found.filter((box) => box.checked).length;
  if (page) {
    page.disabled = all.checked;
    page.checked = count > 0 && count === found.length;
    page.indeterminate = count > 0 && count < found.length;
  }
  const words = bar.querySelector("[data-selection-count]");
  const { none, one, many } = words.dataset;
  const text = all.checked ? "" : count === 0 ? none : count === 1 ? one : many.replace("%s", String(count));
  if (words.textContent !== text) words.textContent = text;
  for (const button of document.querySelectorAll("button[form='node-selection']")) button.disabled = !all.checked && count === 0;
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-select-page]")) for (const box of boxes()) box.checked = event.target.checked;
  if (event.target.matches("[data-select-page], [data-select-matching], input[name='node']")) showSelection();
});
document.addEventListener("htmx:afterSettle", showSelection);

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
showSelection();
