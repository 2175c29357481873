// Dead letters, with their reasons.

import { acceptButton, actionButton, canBeAccepted } from "./actions.js";
import { element, found, keepInLine, setShown, setText } from "./elements.js";
import { askedBy, counted, named, timeOfDay } from "./words.js";

/** Show the dead letters of a status: their count, and the oldest of them. */
export function showLetters(status) {
  const { dead_letters: count, letters: messages } = status ?? { dead_letters: 0, letters: [] };
  setText(found("letters-count"), String(count));
  found("letters-count").classList.toggle("bad", count > 0);
  setShown(found("letters-empty"), count === 0);
  setShown(found("letters-all"), count > 0);
  setShown(found("letters-more"), count > messages.length);
  keepInLine(found("letters"), messages, (letter) => letter.message_id, makeRow, () => {});
}

function attempts({ attempts: number }) {
  return number === null ? "some attempts" : counted(Number(number), "attempt");
}

function makeRow(letter) {
  const act = (label, name) => actionButton(label, name, { message_id: letter.message_id }, `the letter of ${timeOfDay(letter.failed_at)}`);
  const asked = canBeAccepted(letter.error_message) ? askedBy(letter.body) : null;
  return element(
    "li",
    { class: "row letter" },
    element("p", {}, element("strong", {}, letter.error_type), ` at ${timeOfDay(letter.failed_at)}, after ${attempts(letter)}`),
    element("p", { class: "error" }, letter.error_message),
    element("code", {}, letter.body),
    element("div", { class: "buttons small" }, act("Redrive", "redrive"), act("Discard", "discard"), ...(asked ? [acceptButton(asked, named(asked))] : [])),
  );
}
