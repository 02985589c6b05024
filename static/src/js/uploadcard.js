import { Speed, durationText, sizeText } from "./format.js";
import { combined, share } from "./uploadstate.js";

const locale = () => document.documentElement.lang || "en";

/** A sentence of the page, in the person's language. */
export function word(name) {
  return document.querySelector("template[data-upload-words]").content.querySelector(`[data-word="${name}"]`).textContent;
}

/** The card of one upload: shows what it is told and knows nothing of the network. */
export class UploadCard {
  constructor(entry) {
    this.entry = entry;
    this.speed = new Speed();
    this.first = 0;
    this.last = 0;
    this.element = document.querySelector("template[data-upload-template]").content.firstElementChild.cloneNode(true);
    this.element.id = `upload-${entry.operation}`;
    this.find("[data-upload-title]").textContent = entry.title;
    const details = this.find("[data-upload-details]");
    if (entry.operation_url) {
      details.href = entry.operation_url;
      details.hidden = false;
    }
  }

  find(selector) {
    return this.element.querySelector(selector);
  }

  /** state: sending, paused, waiting, retrying, interrupted, gone, refused, failed or cancelled. */
  state(name, reason = "") {
    const running = name === "sending" || name === "waiting" || name === "retrying";
    const over = name === "cancelled" || name === "gone" || name === "refused";
    const tone = { paused: "warning", waiting: "warning", retrying: "warning", interrupted: "warning", failed: "danger", gone: "danger", refused: "danger" }[name];
    this.find("[data-upload-pause]").hidden = !running;
    this.find("[data-upload-resume]").hidden = !(name === "paused" || name === "failed");
    this.find("[data-upload-cancel]").hidden = over && name !== "refused";
    this.find("[data-upload-again]").hidden = name !== "interrupted";
    this.find("[data-progress]").dataset.tone = tone ?? "info";
    this.phase(name === "sending" || name === "paused" || name === "cancelled" ? word(name) : word(running ? "sending" : "paused"));
    const note = this.find("[data-upload-note]");
    note.textContent = reason || (name === "sending" ? word("keep") : name === "paused" || name === "cancelled" ? "" : word(name));
    if (tone && name !== "paused") note.dataset.tone = tone;
    else delete note.dataset.tone;
    if (name !== "sending") {
      this.speed.reset();
      this.figures("", "");
    }
  }

  phase(text) {
    const place = this.find("[data-progress-phase]");
    // A live region: the same words are not said twice.
    if (place.textContent !== text) place.textContent = text;
  }

  /** Bytes that have left the browser. */
  sent(bytes, total) {
    this.first = share(bytes, total);
    this.speed.add(bytes, performance.now());
    const rate = this.speed.perSecond();
    this.find("[data-progress-amount]").textContent = `· ${word("of").replace("%1", sizeText(bytes, locale())).replace("%2", sizeText(total, locale()))}`;
    this.figures(
      rate ? `· ${sizeText(rate, locale())}/s` : "",
      rate ? `· ${word("left").replace("%s", durationText((total - bytes) / rate, locale()))}` : "",
    );
    this.draw();
  }

  figures(speed, left) {
    this.find("[data-progress-speed]").textContent = speed;
    this.find("[data-progress-left]").textContent = left;
  }

  /** Percent that is in blob storage already. */
  stored(percent) {
    this.last = percent;
    this.draw();
  }

  draw() {
    const bar = this.find(".bp-bar");
    this.find("[data-leg-first]").setAttribute("width", `${this.first}%`);
    this.find("[data-leg-last]").setAttribute("width", `${this.last}%`);
    this.find("[data-first-text]").textContent = `${this.first} %`;
    this.find("[data-last-text]").textContent = `${this.last} %`;
    const both = combined(this.first, this.last);
    this.find("[data-progress-percent]").textContent = `${both} %`;
    bar.setAttribute("aria-valuenow", String(both));
  }
}
