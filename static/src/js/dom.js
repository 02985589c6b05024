/** Listen on the document for events of elements that match a selector, now or later. */
export function on(type, selector, handler, options) {
  document.addEventListener(
    type,
    (event) => {
      const target = event.target instanceof Element ? event.target.closest(selector) : null;
      if (target) handler(event, target);
    },
    options,
  );
}

/** Call a function for each element that matches, now and whenever htmx or a poll brings new ones. */
export function onArrival(selector, handler) {
  const scan = (root) => {
    if (!(root instanceof Element || root instanceof Document)) return;
    if (root instanceof Element && root.matches(selector)) handler(root);
    root.querySelectorAll(selector).forEach(handler);
  };
  scan(document);
  new MutationObserver((records) => {
    for (const record of records) record.addedNodes.forEach(scan);
  }).observe(document.documentElement, { childList: true, subtree: true });
}

/** The CSRF token that Django put into a form of the page, or into the cookie. */
export function csrfToken() {
  const field = document.querySelector("input[name=csrfmiddlewaretoken]");
  if (field) return field.value;
  return /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? "";
}

/** Whether a person is typing into an element. */
export function isTyping(element) {
  return (
    element instanceof HTMLElement &&
    (element.isContentEditable || /^(input|textarea|select)$/i.test(element.tagName)) &&
    !/^(checkbox|radio|button|submit|reset)$/i.test(element.getAttribute("type") ?? "")
  );
}
