// Bring an element up to what the server answers by changing only what differs, so that focus, scroll, chosen boxes and
// open menus stay as they are.

// What people and our scripts change in the page, and the server knows nothing of.
const OURS = new Set(["style", "open", "aria-expanded", "aria-busy", "data-absolute"]);

/** By what an element is found again among its siblings; "" where its place among them is all it has. */
export function keyOf(node) {
  return node.nodeType === 1 ? node.dataset.key || node.id || "" : "";
}

const alike = (old, wanted) => old.nodeType === wanted.nodeType && old.nodeName === wanted.nodeName && keyOf(old) === keyOf(wanted);

function attributes(old, wanted) {
  for (const { name } of [...old.attributes]) if (!OURS.has(name) && !wanted.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of wanted.attributes) if (!OURS.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
}

function children(old, wanted) {
  const known = new Map([...old.children].filter(keyOf).map((child) => [keyOf(child), child]));
  let at = old.firstChild;
  for (const fresh of [...wanted.childNodes]) {
    const kept = known.get(keyOf(fresh)) ?? (at && !keyOf(at) && alike(at, fresh) ? at : null);
    if (!kept || !alike(kept, fresh)) {
      old.insertBefore(fresh, at);
      continue;
    }
    if (kept === at) at = at.nextSibling;
    else old.insertBefore(kept, at);
    morph(kept, fresh);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

export function morph(old, wanted) {
  if (old.isEqualNode(wanted)) return;
  if (old.nodeType !== 1) {
    old.nodeValue = wanted.nodeValue;
  } else if (old.matches("time[data-relative]")) {
    // A new one, because its words are made when it arrives; the same moment has its words already.
    if (old.dateTime !== wanted.dateTime) old.replaceWith(wanted);
  } else {
    attributes(old, wanted);
    children(old, wanted);
  }
}
