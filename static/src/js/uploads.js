import { Upload } from "tus-js-client";
import { csrfToken, on, onArrival } from "./dom.js";
import { clearErrors, showErrors } from "./fielderrors.js";
import { UploadCard, word } from "./uploadcard.js";
import { errorKind, forget, isSameFile, recall, remember, shouldRetry } from "./uploadstate.js";

const RETRIES = [0, 1000, 2000, 4000, 8000, 15_000, 30_000, 30_000, 60_000, 60_000];
const CHUNK = 64 * 1024 * 1024;
const WATCH = 2000;

const running = new Map();

/** One upload: its card, and the tus client that sends its bytes. */
class Transfer {
  constructor(entry) {
    this.entry = entry;
    this.card = new UploadCard(entry);
    this.card.element.transfer = this;
    this.client = null;
    this.watcher = 0;
  }

  start(file) {
    this.file = file;
    this.lost = false;
    this.card.state("sending");
    running.set(this.entry.operation, this);
    this.client = new Upload(file, {
      uploadUrl: this.entry.location,
      chunkSize: Number(this.entry.chunk) || CHUNK,
      retryDelays: RETRIES,
      storeFingerprintForResuming: false,
      headers: { "X-CSRFToken": csrfToken() },
      onProgress: (bytes, total) => this.card.sent(bytes, total),
      onShouldRetry: (error) => this.retry(error),
      onChunkComplete: () => this.card.state("sending"),
      onSuccess: () => this.handOver(),
      onError: (error) => this.fail(error),
    });
    this.client.start();
    this.watch();
  }

  retry(error) {
    const status = error.originalResponse?.getStatus() ?? 0;
    if (!shouldRetry(status)) return false;
    this.card.state(navigator.onLine ? "retrying" : "waiting");
    return navigator.onLine;
  }

  fail(error) {
    const status = error.originalResponse?.getStatus() ?? 0;
    this.client = null;
    if (!navigator.onLine) return this.lose();
    const kind = errorKind(status);
    if (kind === "failed") return this.card.state("failed");
    this.end();
    return this.card.state(kind, kind === "refused" ? reasonOf(error.originalResponse) : "");
  }

  /** The network is away: a request that runs would hang until the system gives it up. "online" starts it again. */
  lose() {
    this.client?.abort();
    this.client = null;
    this.lost = true;
    this.card.state("waiting");
  }

  async pause() {
    this.lost = false;
    await this.client?.abort();
    this.client = null;
    this.card.state("paused");
  }

  resume() {
    if (!this.client && this.file) this.start(this.file);
  }

  async cancel() {
    await this.client?.abort();
    try {
      const headers = { "X-CSRFToken": csrfToken(), "Tus-Resumable": "1.0.0" };
      const answer = await fetch(this.entry.location, { method: "DELETE", headers });
      if (!answer.ok && answer.status !== 404 && answer.status !== 410) return this.card.state("failed");
    } catch {
      return this.card.state("failed");
    }
    this.end();
    return this.card.state("cancelled");
  }

  /** The second leg runs while the first does: ask the operation how much is in blob storage. */
  watch() {
    clearTimeout(this.watcher);
    if (!this.entry.progress_url) return;
    this.watcher = setTimeout(async () => {
      if (!running.has(this.entry.operation)) return;
      await this.look();
      this.watch();
    }, WATCH);
  }

  async look() {
    try {
      const answer = await fetch(this.entry.progress_url, { headers: { "HX-Request": "true" }, cache: "no-store" });
      if (answer.ok) this.read(await answer.text());
    } catch {
      // The transfer itself says when the network is away.
    }
  }

  read(text) {
    const progress = new DOMParser().parseFromString(text, "text/html").querySelector("[data-progress]");
    const stored = Number(progress?.dataset.last);
    if (Number.isFinite(stored)) this.card.stored(stored);
  }

  /** All bytes are with the server: from here on the operation's own fragment stands in the card's place. */
  handOver() {
    this.end();
    this.card.sent(this.entry.size, this.entry.size);
    this.card.state("paused");
    this.card.phase(word("close"));
    if (!this.entry.progress_url) return;
    const place = document.createElement("div");
    place.id = this.card.element.id;
    place.dataset.poll = this.entry.progress_url;
    place.dataset.pollNow = "";
    place.append(...this.card.element.children);
    place.className = this.card.element.className;
    place.querySelectorAll("button").forEach((button) => (button.hidden = true));
    this.card.element.replaceWith(place);
  }

  end() {
    running.delete(this.entry.operation);
    clearTimeout(this.watcher);
    forget(localStorage, this.entry.operation);
  }
}

/** What the API says, in its one shape of errors. */
function reasonOf(response) {
  try {
    return JSON.parse(response.getBody()).error.message;
  } catch {
    return "";
  }
}

const host = () => document.querySelector("[data-uploads]");

/** The form goes first, without the file: the server checks it and makes the upload, or says what is wrong where. */
async function submit(form) {
  const input = form.querySelector("input[type=file]");
  const file = input.files[0];
  if (!file) return showErrors(form, { [input.name]: [input.dataset.missing ?? input.validationMessage] });
  clearErrors(form);
  const data = new FormData(form);
  data.delete(input.name);
  data.set("file_name", file.name);
  data.set("file_size", String(file.size));
  const answer = await fetch(form.action, { method: "POST", body: data, headers: { Accept: "application/json" }, redirect: "manual" });
  const body = await answer.json().catch(() => ({}));
  if (answer.status === 200 || answer.status === 201) return begin(form, file, answer, body);
  if (body.errors) return showErrors(form, body.errors);
  return showErrors(form, { __all__: [body.error?.message ?? word("error")] });
}

function begin(form, file, answer, body) {
  // A second press, or the same form in another tab, meets the upload that runs already.
  if (running.has(body.operation)) return;
  const entry = {
    ...body,
    location: answer.headers.get("Location") ?? body.location,
    title: body.title ?? file.name,
    name: file.name,
    size: file.size,
    modified: file.lastModified,
    page: location.pathname,
  };
  remember(localStorage, entry, Date.now());
  document.getElementById(`upload-${entry.operation}`)?.remove();
  const transfer = new Transfer(entry);
  host().prepend(transfer.card.element);
  transfer.start(file);
  form.dispatchEvent(new CustomEvent("upload-begun", { bubbles: true, detail: entry }));
  if (form.hasAttribute("data-reset")) form.reset();
  transfer.card.element.scrollIntoView({ block: "nearest" });
}

/** Uploads of this browser that were cut off, to go on with. */
function showInterrupted(place) {
  const only = place.dataset.uploads;
  for (const entry of Object.values(recall(localStorage, Date.now()))) {
    if (running.has(entry.operation) || (only && !entry.page.startsWith(only))) continue;
    if (document.getElementById(`upload-${entry.operation}`)) continue;
    const transfer = new Transfer(entry);
    transfer.card.state("interrupted");
    place.append(transfer.card.element);
    catchUp(transfer);
  }
}

/** Ask where an interrupted upload stands; one that the server has done with is forgotten. */
async function catchUp(transfer) {
  try {
    const answer = await fetch(transfer.entry.location, { method: "HEAD", headers: { "Tus-Resumable": "1.0.0" }, cache: "no-store" });
    if ([403, 404, 410].includes(answer.status)) {
      transfer.end();
      transfer.card.element.remove();
      return;
    }
    const offset = Number(answer.headers.get("Upload-Offset"));
    if (answer.ok && offset >= transfer.entry.size) transfer.handOver();
    else if (answer.ok) {
      transfer.card.sent(offset, transfer.entry.size);
      transfer.card.figures("", "");
      if (transfer.entry.progress_url) await transfer.look();
    }
  } catch {
    // Offline: the card stays, and choosing the file tells more.
  }
}

/** Names that were typed before the scripts had come, or that the browser has kept, are as good as ones typed now. */
function showNames() {
  const typed = [...document.querySelectorAll("#id_application_id, #id_version")].some((input) => input.value);
  if (typed) document.getElementById("names")?.dispatchEvent(new Event("names-known"));
}

const transferOf = (element) => element.closest("[data-upload]").transfer;

export function startUploads() {
  on("submit", "form[data-upload-form]", async (event, form) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    if (form.dataset.busy) return;
    form.dataset.busy = "true";
    const button = event.submitter ?? form.querySelector("button[type=submit]");
    button?.setAttribute("aria-busy", "true");
    try {
      await submit(form);
    } catch {
      showErrors(form, { __all__: [word("error")] });
    } finally {
      delete form.dataset.busy;
      button?.removeAttribute("aria-busy");
    }
  }, true);
  on("click", "[data-upload-pause]", (_event, button) => transferOf(button).pause());
  on("click", "[data-upload-resume]", (_event, button) => transferOf(button).resume());
  on("click", "[data-upload-cancel]", (_event, button) => transferOf(button).cancel());
  on("change", "[data-upload-file]", (_event, input) => {
    const transfer = transferOf(input);
    const file = input.files[0];
    if (!file) return;
    if (isSameFile(transfer.entry, file)) transfer.start(file);
    else transfer.card.state("interrupted", word("different"));
    input.value = "";
  });
  onArrival("[data-uploads]", showInterrupted);
  // By then htmx, whose script comes first, listens.
  document.addEventListener("DOMContentLoaded", showNames);
  addEventListener("offline", () => running.forEach((transfer) => transfer.client && transfer.lose()));
  addEventListener("online", () => running.forEach((transfer) => transfer.lost && transfer.resume()));
  addEventListener("beforeunload", (event) => {
    if (running.size) event.preventDefault();
  });
}
