import { onArrival } from "./dom.js";

const KEY = "batchportal.bell";

/**
 * A page that is left takes along up to when its bell has told of ends, so that the next page's toasts go on from
 * there: work that ends while pages change is not missed. The server puts that moment into the bell's own address.
 */
export function startBell() {
  onArrival("#bell-list[data-poll]", (bell) => {
    const url = new URL(bell.dataset.poll, location.href);
    const since = url.searchParams.get("since");
    if (since) return sessionStorage.setItem(KEY, since);
    const kept = sessionStorage.getItem(KEY);
    if (!kept) return undefined;
    url.searchParams.set("since", kept);
    bell.dataset.poll = url.pathname + url.search;
    return undefined;
  });
}
