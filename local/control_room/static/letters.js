// Dead letters, with their reasons.

import { press } from "./actions.js";
import { button, element, found, keepInLine, setText } from "./elements.js";
import { counted, timeOfDay } from "./words.js";

/** Show the dead letters of a status: their count, and the oldest of them. */
export function showLetters(status) {
  const { dead_letters: count, letters: messages } = status ?? { dead_letters: 0, letters: [] };
  setText(found("letters-count"), String(count));
  found("letters-count").classList.toggle("bad", count > 0);
  found("letters-empty").hidden = count > 0;
  found("letters-all").hidden = count === 0;
  found("letters-more").hidden = count <= messages.length;
  keepInLine(found("letters"), messages, (letter) => letter.message_id, makeRow, () => {});
}

function attempts({ attempts: number }) {
  return number === null ? "some attempts" : counted(Number(number), "attempt");
}

function makeRow(letter) {
  const chosen = { message_id: letter.message_id };
  const act = (label, name) => {
    const made = button(label, () => press(made, name, chosen), { "aria-label": `${label} the letter of ${timeOfDay(letter.failed_at)}` });
    return made;
  };
  return element(
    "li",
    { class: "row letter" },
    element("p", {}, element("strong", {}, letter.error_type), ` at ${timeOfDay(letter.failed_at)}, after ${attempts(letter)}`),
    element("p", { class: "error" }, letter.error_message),
    element("code", {}, letter.body),
    element("div", { class: "buttons small" }, act("Redrive", "redrive"), act("Discard", "discard")),
  );
}
