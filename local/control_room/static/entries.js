// The cache's entries, each with its freshness running down.

import { press } from "./actions.js";
import { button, element, found, keepInLine, setText } from "./elements.js";
import { clock, named, size, spoken, timeOfDay } from "./words.js";

const TICK_MS = 1000;

let shown = [];
let ahead = 0;

/** Show the entries of a status, and what could not be built; `at` is the stack's time. */
export function showEntries(status, at) {
  if (!status) return;
  ahead = Date.parse(at) - Date.now();
  const entries = status.entries.map((each) => ({ ...each, built_at: Date.parse(at) - 1000 * each.age_seconds }));
  shown = [...entries.toSorted(newestFirst), ...status.missing.map((each) => ({ ...each, state: "missing" }))];
  found("entries-empty").hidden = shown.length > 0;
  keepInLine(found("entries"), shown, named, makeRow, updateRow);
}

// The programs, then the balances from the newest period to the oldest.
function newestFirst(one, other) {
  if (!one.from || !other.from) return one.from ? 1 : -1;
  return other.to.localeCompare(one.to);
}

/** Let the freshness run down between one state and the next. */
export function startClock() {
  setInterval(() => {
    for (const entry of shown) {
      const row = found("entries").querySelector(`[data-key="${CSS.escape(named(entry))}"]`);
      if (row) updateRow(row, entry);
    }
  }, TICK_MS);
}

function makeRow(entry) {
  const selected = entry.from ? { dataset: entry.dataset, from: entry.from, to: entry.to } : { dataset: entry.dataset };
  const act = (label, name) => {
    const made = button(label, () => press(made, name, selected), { "aria-label": `${label} ${named(entry)}` });
    return made;
  };
  return element(
    "li",
    { class: "row entry" },
    element("div", { class: "what" }, element("strong", {}, entry.dataset), period(entry)),
    element("span", { class: "badge state" }),
    element("div", { class: "bar", role: "meter", "aria-label": "Freshness left", "aria-valuemin": "0", "aria-valuemax": "100" }, element("div", { class: "left" })),
    element("span", { class: "time" }),
    element("div", { class: "buttons small" }, act("Expire", "expire"), act("Refresh", "refresh"), act("Purge", "purge")),
    element("p", { class: "error" }),
  );
}

function period(entry) {
  return element("span", { class: "period" }, entry.from ? `${entry.from} to ${entry.to}` : "all");
}

function updateRow(row, entry) {
  const left = (Date.parse(entry.fresh_until) - Date.now() - ahead) / 1000;
  const whole = (Date.parse(entry.fresh_until) - entry.built_at) / 1000;
  const share = whole > 0 ? Math.max(0, Math.min(1, left / whole)) : 0;
  row.dataset.state = entry.state;
  setText(row.querySelector(".state"), entry.state);
  setText(row.querySelector(".time"), timeLeft(entry, left));
  row.querySelector(".left").style.inlineSize = `${100 * share}%`;
  const bar = row.querySelector(".bar");
  bar.setAttribute("aria-valuenow", String(Math.round(100 * share)));
  bar.setAttribute("aria-valuetext", entry.state === "fresh" ? `fresh for ${spoken(left)}` : entry.state);
  row.title = isNoEntry(entry) ? "" : `built at ${timeOfDay(entry.built_at)}, ${size(entry.size_bytes)}`;
  for (const each of row.querySelectorAll("button")) each.hidden = isNoEntry(entry) && each.textContent === "Expire";
  setText(row.querySelector(".error"), errorOf(entry));
}

function timeLeft(entry, left) {
  if (isNoEntry(entry)) return "–";
  return left > 0 ? `${clock(left)} left` : `for ${clock(left)}`;
}

function isNoEntry(entry) {
  return !entry.fresh_until;
}

function errorOf(entry) {
  const error = entry.last_error;
  if (entry.state === "unreadable") return "Unreadable: it counts as a miss, and is rebuilt.";
  if (!error?.error_type) return "";
  const next = `next attempt from ${timeOfDay(error.next_attempt_at)}`;
  return `Last rebuild failed: ${error.error_type}: ${error.message} (${next})`;
}
