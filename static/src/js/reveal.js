import { copyText } from "./copy.js";
import { csrfToken, on } from "./dom.js";
import { noticeText, toast } from "./toasts.js";

const MASK = "••••••••••••••••";
const STAY = 30_000;

/** The secret: from the page, or asked from the server (which writes it down in the audit). */
async function secretOf(host) {
  const text = host.querySelector("[data-secret-text]");
  if (text.dataset.secretValue) return text.dataset.secretValue;
  const response = await fetch(host.dataset.revealUrl, { method: "POST", headers: { "X-CSRFToken": csrfToken(), Accept: "text/plain" } });
  if (!response.ok) throw new Error(String(response.status));
  return (await response.text()).trim();
}

function hide(host) {
  host.querySelector("[data-secret-text]").textContent = MASK;
  setPressed(host, false);
}

function setPressed(host, shown) {
  const button = host.querySelector("[data-reveal]");
  button.setAttribute("aria-pressed", String(shown));
  const use = button.querySelector("use");
  use?.setAttribute("href", use.getAttribute("href").replace(/#.*/, shown ? "#eye-off" : "#eye"));
}

async function withSecret(host, action) {
  try {
    await action(await secretOf(host));
  } catch {
    const text = noticeText("secret");
    if (text) toast({ tone: "danger", text });
  }
}

export function startReveal() {
  on("click", "[data-secret] [data-reveal]", (_event, button) => {
    const host = button.closest("[data-secret]");
    if (button.getAttribute("aria-pressed") === "true") return hide(host);
    return withSecret(host, (secret) => {
      host.querySelector("[data-secret-text]").textContent = secret;
      setPressed(host, true);
      setTimeout(() => host.isConnected && hide(host), STAY);
    });
  });
  on("click", "[data-secret] [data-copy-secret]", (_event, button) =>
    withSecret(button.closest("[data-secret]"), (secret) => copyText(secret, button)),
  );
}
