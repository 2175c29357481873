// The rebuild queue: which message waits, for what, and how often it was tried.

import { element, found, keepInLine, setAttribute, setShown, setText } from "./elements.js";
import { askedBy, named, secondsUntil, span } from "./words.js";

const MOST_RECEIVES = 5;

/** Show the messages of a status. */
export function showQueue(status) {
  const messages = status?.messages ?? [];
  const total = status ? status.queue.visible + status.queue.in_flight : 0;
  const held = messages.filter(isHeld);
  setText(found("queue-count"), String(total));
  setShown(found("queue-empty"), messages.length === 0);
  setShown(found("queue-held"), held.length > 0);
  setShown(found("queue-more"), total > messages.length);
  keepInLine(found("queue"), messages, (message) => message.message_id, makeRow, (row, message) => {
    setAttribute(row, "data-state", stateOf(message));
    setText(row.querySelector(".state"), stateOf(message));
    setText(row.querySelector(".time"), timeOf(message, held.length > 0));
    setText(row.querySelector(".attempt"), attemptOf(message));
  });
}

/** When the first message that is held back comes again, in words; "" where none is. */
export function nextRetry(status) {
  const held = (status?.messages ?? []).filter(isHeld).map((message) => secondsUntil(message.held_until));
  return held.length ? `retries in ${span(Math.max(0, ...[Math.min(...held)]))}` : "";
}

function isHeld(message) {
  return Boolean(message.held_until) && !message.at_work;
}

function stateOf(message) {
  if (message.at_work) return "at work";
  return isHeld(message) ? "held back" : "waiting";
}

function timeOf(message, isBlocked) {
  if (message.at_work) return "";
  if (isHeld(message)) return `retries in ${span(Math.max(0, secondsUntil(message.held_until)))}`;
  return isBlocked ? "waits behind the one held back" : "";
}

function attemptOf({ receives, at_work: isAtWork }) {
  if (!receives) return "not tried yet";
  return `attempt ${receives} of ${MOST_RECEIVES}${isAtWork ? "" : " failed"}`;
}

function makeRow(message) {
  const asked = askedBy(message.body);
  return element(
    "li",
    { class: "row message" },
    element("p", {}, element("strong", {}, asked ? named(asked) : "names no dataset"), " ", element("span", { class: "badge state" })),
    element("p", {}, element("span", { class: "attempt" }), " ", element("span", { class: "time" })),
    element("code", {}, message.body),
  );
}
