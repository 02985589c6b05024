import { on } from "./dom.js";

/** Where a popover goes: below its button, kept inside the window. */
export function placeBelow(button, size, view) {
  const below = button.bottom + 4;
  const top = below + size.height > view.height - 8 ? Math.max(8, button.top - size.height - 4) : below;
  const left = Math.max(8, Math.min(button.right - size.width, view.width - size.width - 8));
  return { top, left: button.left + size.width < view.width - 8 && button.right - size.width < 8 ? button.left : left };
}

function place(popover, button) {
  const { top, left } = placeBelow(button.getBoundingClientRect(), popover.getBoundingClientRect(), {
    width: document.documentElement.clientWidth,
    height: innerHeight,
  });
  popover.style.top = `${top}px`;
  popover.style.left = `${left}px`;
}

const invoker = (popover) => document.querySelector(`[popovertarget="${CSS.escape(popover.id)}"]`);

function setMenu(collapsed) {
  if (collapsed) document.documentElement.dataset.menu = "collapsed";
  else delete document.documentElement.dataset.menu;
  document.cookie = `menu=${collapsed ? "collapsed" : "open"}; path=/; max-age=31536000; samesite=lax`;
}

export function toggleMenu() {
  setMenu(document.documentElement.dataset.menu !== "collapsed");
}

export function startMenus() {
  document.addEventListener(
    "toggle",
    (event) => {
      const popover = event.target;
      if (!popover.matches?.("[popover]")) return;
      const open = event.newState === "open";
      const button = invoker(popover);
      button?.setAttribute("aria-expanded", String(open));
      if (open && button && popover.matches(".bp-pop") && !button.closest(".bp-header")) place(popover, button);
    },
    true,
  );
  // Arrow keys walk through a menu and through the results of the search.
  on("keydown", ".bp-pop, .bp-search", (event, menu) => {
    if (!["ArrowDown", "ArrowUp"].includes(event.key)) return;
    const items = [...menu.querySelectorAll("input[type=search], a[href], button:not([disabled])")].filter((item) => item.checkVisibility());
    const next = items[items.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1)];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
  on("keydown", ".bp-search", (event) => {
    if (event.key === "Escape") document.activeElement.blur();
  });
  on("click", "[data-menu-toggle]", toggleMenu);
}
