// What happened, the newest first: filtered, held for a while, or taken away as a file.

import { element, found, setShown, setText } from "./elements.js";
import { counted, momentOf } from "./words.js";

// Of each source, as the stack keeps them: one that has much to say pushes no other's out.
const KEPT = 200;

let kept = new Map();
let isPaused = false;
let held = 0;

/** Make the filter and the buttons of the log work. */
export function connectLog() {
  for (const id of ["log-source", "log-text"]) found(id).addEventListener("input", showAll);
  found("log-pause").addEventListener("click", pause);
  found("log-download").addEventListener("click", download);
}

/** Forget everything: another run of the stack begins, or its story is told anew. */
export function clearLog() {
  kept = new Map();
  showAll();
}

/** Add what happened. */
export function logEvent(event) {
  const ofSource = kept.get(event.source) ?? [];
  kept.set(event.source, ofSource);
  ofSource.push(event);
  if (isWanted(event)) {
    if (isPaused) setHeld(held + 1);
    else found("log").prepend(lineOf(event));
  }
  if (ofSource.length > KEPT) found("log").querySelector(`[data-number="${ofSource.shift().number}"]`)?.remove();
}

/** What happened in one rebuild, the oldest first. */
export function eventsOf(rebuild) {
  return all().filter((event) => event.rebuild === rebuild);
}

/** A line of the log. */
export function lineOf({ number, at, source, text, level }) {
  return element(
    "li",
    { class: level, "data-number": number },
    element("time", { datetime: at }, momentOf(at)),
    element("span", { class: "source" }, source),
    element("span", { class: "text" }, text),
  );
}

function all() {
  return [...kept.values()].flat().sort((one, other) => one.number - other.number);
}

function isWanted({ source, text, level }) {
  const chosen = found("log-source").value;
  if (chosen === "problems" ? !["warning", "error"].includes(level) : chosen && chosen !== source) return false;
  return text.toLowerCase().includes(found("log-text").value.trim().toLowerCase());
}

function showAll() {
  setHeld(0);
  found("log").replaceChildren(...all().filter(isWanted).reverse().map(lineOf));
}

function pause() {
  isPaused = !isPaused;
  found("log-pause").setAttribute("aria-pressed", String(isPaused));
  if (!isPaused) showAll();
}

function setHeld(number) {
  held = number;
  setShown(found("log-held"), held > 0);
  setText(found("log-held"), `${counted(held, "line")} held`);
}

// All that passes the filter at this moment, also what a pause holds: lines that come meanwhile are
// not in it.
function download() {
  const lines = all().filter(isWanted).map(({ at, source, level, text }) => `${at} ${source} ${level} ${text}\n`);
  const address = URL.createObjectURL(new Blob(lines, { type: "text/plain" }));
  element("a", { href: address, download: "control-room.log" }).click();
  // A browser may begin to read only after the click has been handled.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
