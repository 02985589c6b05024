// Nodes by state over time, stacked, with the target as a line; and the same as a table.
import uPlot from "uplot";

const place = document.getElementById("pool-chart");
const HEIGHT = 260;

function colour(name) {
  return getComputedStyle(place).getPropertyValue(name).trim();
}

// Each state on top of those before it; the chart paints the highest sum first.
function stacked(states) {
  const sums = [];
  let below = states[0]?.nodes.map(() => 0) ?? [];
  for (const state of states) {
    below = below.map((sum, index) => sum + state.nodes[index]);
    sums.push(below);
  }
  return sums;
}

// Lightness tells states of one tone apart.
function fills(states) {
  const seen = {};
  return states.map(({ tone }) => {
    const nth = (seen[tone] = (seen[tone] ?? -1) + 1);
    return `color-mix(in oklab, ${colour(`--${tone}-solid`)} ${Math.max(40, 100 - 25 * nth)}%, ${colour("--surface")})`;
  });
}

function resolved(value) {
  const probe = document.createElement("i");
  probe.style.color = value;
  place.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

// Hours and minutes as the reader writes them; days where the span is longer than two.
function clock(_chart, moments) {
  const language = document.documentElement.lang;
  const long = moments.length > 1 && moments.at(-1) - moments[0] > 2 * 86400;
  const brief = moments.length > 1 && moments[1] - moments[0] < 60;
  const time = { timeStyle: brief ? "medium" : "short", hourCycle: "h23" };
  const format = new Intl.DateTimeFormat(language, long ? { day: "numeric", month: "short" } : time);
  return moments.map((moment) => format.format(new Date(moment * 1000)));
}

function options(data) {
  const stepped = uPlot.paths.stepped({ align: 1 });
  const paints = fills(data.states).map(resolved);
  const layers = data.states.map((state, index) => ({
    label: state.label,
    fill: paints[index],
    stroke: paints[index],
    width: 1,
    paths: stepped,
    points: { show: false },
    value: (_chart, _sum, _series, at) => (at === null ? "–" : state.nodes[at]),
  }));
  const axis = { stroke: resolved("var(--ink-soft)"), grid: { stroke: resolved("var(--line)"), width: 1 }, ticks: { show: false } };
  return {
    width: place.clientWidth,
    height: HEIGHT,
    scales: { y: { range: (_chart, _low, high) => [0, Math.max(1, high)] } },
    axes: [{ ...axis, space: 80, values: clock }, { ...axis, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000] }],
    series: [
      { label: place.dataset.time, value: (_chart, at) => (at ? new Date(at * 1000).toLocaleString(document.documentElement.lang) : "–") },
      ...layers.toReversed(),
      { label: place.dataset.target, stroke: resolved("var(--ink)"), width: 1.5, dash: [6, 4], paths: stepped, points: { show: false } },
    ],
  };
}

function columns(data) {
  // What it was last still is.
  const hold = (values) => (values.length ? [...values, values.at(-1)] : values);
  const times = data.times.length ? [...data.times, Math.max(data.now, data.times.at(-1))] : [];
  const states = data.states.map((state) => ({ ...state, nodes: hold(state.nodes) }));
  return { times, states, target: hold(data.target) };
}

function table(data) {
  const found = document.createElement("table");
  found.className = "bp-table";
  const head = found.createTHead().insertRow();
  for (const text of ["", ...data.states.map((state) => state.label), place.dataset.target]) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = text;
    head.append(cell);
  }
  const body = found.createTBody();
  for (let at = data.times.length - 1; at >= Math.max(0, data.times.length - 200); at -= 1) {
    const row = body.insertRow();
    row.insertCell().textContent = new Date(data.times[at] * 1000).toLocaleString(document.documentElement.lang);
    for (const state of data.states) row.insertCell().textContent = state.nodes[at];
    row.insertCell().textContent = data.target[at];
  }
  document.getElementById("pool-chart-table").replaceChildren(found);
}

// --- Drawing, again when something is new or the colours change -----------------------------------------------------
const AGAIN = 30_000; // milliseconds between two readings
let chart = null;
let shown = { text: "", at: 0 };

function paint(data) {
  chart?.destroy();
  chart = null;
  place.replaceChildren();
  if (!data.times.length) {
    place.textContent = place.dataset.empty;
    return;
  }
  const held = columns(data);
  chart = new uPlot(options({ ...data, ...held }), [held.times, ...stacked(held.states).toReversed(), held.target], place);
}

async function read() {
  shown.at = performance.now();
  const answer = await fetch(place.dataset.url, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  const data = await answer.json();
  const text = JSON.stringify(data);
  if (text === shown.text) return;
  shown = { text, at: shown.at, data };
  if (data.times.length) table(data);
  paint(data);
}

read().catch(() => {
  place.textContent = place.dataset.failed;
});
new ResizeObserver(() => chart?.setSize({ width: place.clientWidth, height: HEIGHT })).observe(place);
document.addEventListener("live:renewed", () => {
  if (performance.now() - shown.at >= AGAIN) read().catch(() => {});
});
// The colours of the chart are those of the theme at the time of painting.
const repaint = () => shown.data && paint(shown.data);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
new MutationObserver(repaint).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
