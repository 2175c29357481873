// A timeline of each rebuild, which opens its log lines.

import { element, found, keepInLine, setShown } from "./elements.js";
import { eventsOf, lineOf } from "./log.js";
import { counted, momentOf, taken } from "./words.js";

const KINDS = { login: "session", logout: "session", store: "store", pause: "pause", waited: "pause" };

/** Show the rebuilds, the newest first. */
export function showRebuilds(rebuilds) {
  setShown(found("rebuilds-empty"), rebuilds.length === 0);
  keepInLine(found("rebuilds"), rebuilds, (rebuild) => rebuild.number, makeRow, updateRow);
}

function makeRow(rebuild) {
  const lines = element("ol", { class: "lines" });
  const row = element(
    "li",
    { class: "row" },
    element("details", {}, element("summary", {}), lines),
  );
  row.firstElementChild.addEventListener("toggle", () => showLines(row, rebuild.number));
  return row;
}

function updateRow(row, rebuild) {
  const told = JSON.stringify(rebuild);
  if (row.dataset.told !== told) {
    row.dataset.told = told;
    row.querySelector("summary").replaceChildren(...headline(rebuild), timeline(rebuild));
  }
  showLines(row, rebuild.number);
}

function showLines(row, number) {
  const lines = row.querySelector(".lines");
  const events = row.firstElementChild.open ? eventsOf(number) : [];
  if (events.length !== lines.children.length) lines.replaceChildren(...events.map(lineOf));
}

function headline({ began_at: at, asked, attempt, seconds, errors, steps }) {
  const [text, mood] = outcomeOf(seconds, errors, steps);
  return [
    element("time", { datetime: at }, momentOf(at)),
    " ",
    element("strong", {}, asked.join(", ") || "invoked by hand"),
    ` ${attempt > 1 ? `attempt ${attempt}, ` : ""}${seconds === null ? "" : taken(seconds)} `,
    element("span", { class: `badge ${mood}` }, text),
  ];
}

function outcomeOf(seconds, errors, steps) {
  if (errors.length) return [errors.join(", "), "bad"];
  if (seconds === null) return ["at work", "miss"];
  const stored = steps.filter(({ name }) => name === "store").length;
  return stored ? [`stored ${counted(stored, "entry", "entries")}`, "good"] : ["nothing was to be done", ""];
}

// Each step is as wide as its words, and wider by its share of the time.
function timeline({ waited_seconds: waited, steps }) {
  const shown = [{ name: "waited", seconds: waited, about: "" }, ...steps];
  const whole = steps.reduce((sum, { seconds }) => sum + seconds, 0.001);
  const items = shown.map(({ name, seconds, about }) => {
    const item = element("span", { class: `step ${KINDS[name] ?? "call"}`, role: "listitem", title: about }, `${name} ${taken(seconds)}`);
    item.style.flexGrow = String(Math.min(seconds, whole) / whole);
    return item;
  });
  return element("span", { class: "timeline", role: "list", "aria-label": "Steps" }, ...items);
}
