import { onArrival } from "./dom.js";

/** How many commands fit, left to right. widths: of each; room: of the bar; more: of the overflow button. */
export function fitting(widths, room, more) {
  const total = widths.reduce((sum, width) => sum + width, 0);
  if (total <= room) return widths.length;
  let used = more;
  let count = 0;
  for (const width of widths) {
    used += width;
    if (used > room) break;
    count += 1;
  }
  return count;
}

let number = 0;

function manage(bar) {
  const more = bar.querySelector("[data-command-more]");
  const menu = bar.querySelector("[data-command-menu]");
  const commands = [...bar.children].filter((child) => child !== more && child !== menu);
  menu.id ||= `command-menu-${(number += 1)}`;
  more.setAttribute("popovertarget", menu.id);
  const widths = commands.map((command) => (command.matches("form") ? command.firstElementChild.parentElement : command)).map(widthOf);
  const layout = () => {
    const count = fitting(widths, bar.clientWidth, 48);
    more.hidden = count === commands.length;
    commands.forEach((command, index) => (index < count ? bar.insertBefore(command, more) : menu.append(command)));
  };
  bar.classList.add("is-managed");
  layout();
  new ResizeObserver(layout).observe(bar);
}

function widthOf(command) {
  const shown = command.matches("form") ? command.querySelector("button") : command;
  return shown.getBoundingClientRect().width + 4;
}

export function startCommandBars() {
  onArrival("[data-command-bar]:not(.is-managed)", manage);
}
