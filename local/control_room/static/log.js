// What happened, the newest first.

import { element, found } from "./elements.js";
import { timeOfDay } from "./words.js";

const KEPT = 200;

/** Forget everything: another run of the stack begins, or its story is told anew. */
export function clearLog() {
  found("log").replaceChildren();
}

/** Add what happened. */
export function logEvent({ at, source, text, level }) {
  const log = found("log");
  log.prepend(
    element(
      "li",
      { class: level },
      element("time", { datetime: at }, timeOfDay(at)),
      element("span", { class: "source" }, source),
      element("span", { class: "text" }, text),
    ),
  );
  if (log.children.length > KEPT) log.lastElementChild.remove();
}
