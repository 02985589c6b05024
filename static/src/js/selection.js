// Which rows of a list are chosen, from page to page. Only what is decided, nothing of the page.

/** A query without what does not change which rows match: order and page. */
export function filterOf(query) {
  const parts = new URLSearchParams(query);
  for (const name of ["sort", "page"]) parts.delete(name);
  parts.sort();
  return parts.toString();
}

/** Rows chosen by their key. They stay while pages and order change, and are forgotten with another filter. */
export class Selection {
  #chosen = new Set();
  #filter = null;
  all = false;

  /** The list now shows what matches this query. */
  arrive(query) {
    const filter = filterOf(query);
    if (this.#filter !== null && this.#filter !== filter) this.clear();
    this.#filter = filter;
  }

  clear() {
    this.#chosen.clear();
    this.all = false;
  }

  set(key, on) {
    if (on) this.#chosen.add(key);
    else this.#chosen.delete(key);
  }

  has(key) {
    return this.#chosen.has(key);
  }

  get size() {
    return this.#chosen.size;
  }

  /** Chosen keys that are not among those of the page that is shown. */
  elsewhere(shown) {
    const here = new Set(shown);
    return [...this.#chosen].filter((key) => !here.has(key));
  }

  /** How the box at the head of the page stands: "all", "some" or "none" of the shown keys. */
  page(shown) {
    const count = shown.filter((key) => this.#chosen.has(key)).length;
    return count === 0 ? "none" : count === shown.length ? "all" : "some";
  }

  /** What is chosen in words; `words` has none, one, many and elsewhere, each with %s for its number. */
  text(shown, words) {
    if (this.all) return "";
    if (!this.size) return words.none;
    const chosen = (this.size === 1 ? words.one : words.many).replace("%s", String(this.size));
    const away = this.elsewhere(shown).length;
    return away ? `${chosen}, ${words.elsewhere.replace("%s", String(away))}` : chosen;
  }
}
