import { csrfToken } from "./dom.js";
import { noticeText, toast } from "./toasts.js";

/** Whether an answer came from elsewhere than asked, that is after a redirect. */
export function wasRedirected(asked, answered, base) {
  if (!answered) return false;
  const from = new URL(asked, base);
  const to = new URL(answered, base);
  return from.pathname !== to.pathname || from.search !== to.search;
}

export function startNavigation(htmx) {
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = csrfToken();
  });
  // A form that was accepted redirects. htmx has followed it: show that page whole, at its address.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, requestConfig } = event.detail;
    if (!requestConfig || requestConfig.verb === "get" || xhr.status >= 400) return;
    if (!wasRedirected(requestConfig.path, xhr.responseURL, location.href)) return;
    event.detail.shouldSwap = false;
    document.getElementById("dialog")?.close();
    history.pushState({}, "", xhr.responseURL);
    htmx.swap(document.body, xhr.responseText, { swapStyle: "innerHTML" });
    scrollTo(0, 0);
    document.getElementById("main")?.focus({ preventScroll: true });
  });
  for (const type of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(type, () => notice("offline"));
  }
  document.addEventListener("htmx:responseError", (event) => {
    const { xhr } = event.detail;
    const text = new DOMParser().parseFromString(xhr.responseText ?? "", "text/html").querySelector("[data-error-text]")?.textContent;
    if (text) toast({ tone: "danger", text: text.trim() });
    else notice(xhr.status === 403 ? "forbidden" : xhr.status === 404 ? "missing" : "failed");
  });
  addEventListener("popstate", (event) => {
    // A history entry that a form's answer made holds no state of htmx: load that page.
    if (event.state && !event.state.htmx) location.reload();
  });
}

function notice(word) {
  const text = noticeText(word);
  if (text) toast({ tone: "danger", text });
}
