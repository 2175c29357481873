// The cache's entries, each with its freshness running down.

import { acceptButton, actionButton, canBeAccepted } from "./actions.js";
import { element, found, keepInLine, setAttribute, setShown, setText } from "./elements.js";
import { named, secondsUntil, size, span, timeOfDay } from "./words.js";

/** Show the entries of a status, and what could not be built, in the order of the datasets. */
export function showEntries(status, datasets) {
  if (!status) return;
  const missing = status.missing.map((each) => ({ ...each, state: "missing" }));
  const rank = ({ dataset }) => datasets.indexOf(dataset);
  // Of one dataset the newest period comes first.
  const newestFirst = (one, other) => rank(one) - rank(other) || (other.to ?? "").localeCompare(one.to ?? "");
  const shown = [...status.entries.toSorted(newestFirst), ...missing];
  setShown(found("entries-empty"), shown.length === 0);
  keepInLine(found("entries"), shown, named, makeRow, updateRow);
}

function makeRow(entry) {
  const about = named(entry);
  const { dataset, from, to } = entry;
  const asked = from ? { dataset, from, to } : { dataset };
  const act = (label, name) => actionButton(label, name, asked, about);
  return element(
    "li",
    { class: "row entry" },
    element("div", { class: "what" }, element("strong", {}, dataset), element("span", { class: "period" }, from ? `${from} to ${to}` : "all")),
    element("span", { class: "badge state" }),
    element("div", { class: "bar", role: "meter", "aria-label": "Freshness left", "aria-valuemin": "0", "aria-valuemax": "100" }, element("div", { class: "left" })),
    element("span", { class: "time" }),
    element("div", { class: "buttons small" }, act("Expire", "expire"), act("Refresh", "refresh"), act("Purge", "purge")),
    element("div", { class: "failure" }, element("p", { class: "error" }), element("div", { class: "buttons small" }, acceptButton(asked, about))),
  );
}

function updateRow(row, entry) {
  const left = entry.fresh_until ? secondsUntil(entry.fresh_until) : 0;
  const percent = entry.fresh_until ? share(row, entry, left) : 0;
  setAttribute(row, "data-state", entry.state);
  setText(row.querySelector(".state"), entry.state);
  setText(row.querySelector(".time"), timeLeft(entry, left));
  const bar = row.querySelector(".bar");
  if (bar.getAttribute("aria-valuenow") !== String(percent)) row.querySelector(".left").style.inlineSize = `${percent}%`;
  setAttribute(bar, "aria-valuenow", percent);
  setAttribute(bar, "aria-valuetext", entry.state === "fresh" ? `fresh for ${span(left)}` : entry.state);
  setShown(row.querySelector("[data-action=expire]"), Boolean(entry.fresh_until));
  const error = errorOf(entry);
  setText(row.querySelector(".error"), error);
  setShown(row.querySelector(".failure"), error !== "");
  setShown(row.querySelector("[data-action=accept_shrink]"), canBeAccepted(error));
}

// How many percent of its time an entry has left. When it was built is worked out once, for its age
// is told in whole seconds.
function share(row, entry, left) {
  if (row.dataset.until !== entry.fresh_until) {
    row.dataset.until = entry.fresh_until;
    row.dataset.whole = left + entry.age_seconds;
    row.title = `built at ${timeOfDay(Date.now() - 1000 * entry.age_seconds)}, ${size(entry.size_bytes)}`;
  }
  return Math.round(100 * Math.max(0, Math.min(1, left / row.dataset.whole)));
}

function timeLeft(entry, left) {
  if (!entry.fresh_until) return "–";
  return left > 0 ? `${span(left)} left` : `for ${span(left)}`;
}

function errorOf(entry) {
  const error = entry.last_error;
  if (entry.state === "unreadable") return "Unreadable: it counts as a miss, and is rebuilt.";
  if (!error?.error_type) return "";
  const next = `next attempt from ${timeOfDay(error.next_attempt_at)}`;
  return `Last rebuild failed: ${error.error_type}: ${error.message} (${next})`;
}
