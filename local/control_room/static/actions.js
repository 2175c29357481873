// Buttons: what is asked of the stack, and what it says to that.

import { button, found, setText } from "./elements.js";

const SHOWN_FOR_MS = 8000;

let hiding;

/** Have an action done; its result. Throws an Error with a sentence for the person. */
export async function perform(name, given = {}) {
  let response;
  try {
    response = await fetch(`actions/${encodeURIComponent(name)}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(given),
    });
  } catch {
    throw new Error("The stack gives no answer; is it still running?");
  }
  const result = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(result.detail ?? `The stack answered ${response.status}.`);
  return result;
}

/** Do something for a button, which is busy meanwhile, and say what it returns, or what is wrong. */
export async function busily(pressed, work) {
  if (pressed.getAttribute("aria-busy") === "true") return;
  pressed.setAttribute("aria-busy", "true");
  try {
    const told = await work();
    if (told) say(told);
  } catch (problem) {
    say(problem.message, true);
  } finally {
    pressed.removeAttribute("aria-busy");
  }
}

/** Have an action done by a button. */
export function press(pressed, name, given = {}, told = TOLD[name]) {
  return busily(pressed, async () => told(await perform(name, given)));
}

/** A button for an action on one thing, which its name for the ear mentions. */
export function actionButton(label, name, given, about) {
  const made = button(label, () => press(made, name, given), { "aria-label": `${label} ${about}`, "data-action": name });
  return made;
}

/** A button that accepts a list that has shrunk, or an empty report. */
export function acceptButton(asked, about) {
  return actionButton("Accept the shrunk list", "accept_shrink", asked, `of ${about}`);
}

/** Whether an error is one that `accept_shrink` gets over; its text says so. */
export function canBeAccepted(text = "") {
  return text.includes("accept_shrink");
}

/** Say something about what was just done. */
export function say(text, bad = false) {
  const outcome = found("outcome");
  outcome.hidden = false;
  outcome.classList.toggle("bad", bad);
  setText(outcome, text);
  clearTimeout(hiding);
  hiding = setTimeout(() => (outcome.hidden = true), SHOWN_FOR_MS);
}

/** Make the buttons that stand in the page do what they say. */
export function connectButtons() {
  const dataset = found("dataset");
  for (const each of document.querySelectorAll("button[data-action]")) {
    each.addEventListener("click", () => {
      const given = { ...(each.dataset.all && { all: true }), ...(each.dataset.chosen && { dataset: dataset.value }) };
      press(each, each.dataset.action, given);
    });
  }
  dataset.addEventListener("change", () => {
    for (const each of document.querySelectorAll("[data-chosen]")) setText(each, `${each.dataset.chosen} ${dataset.value}`);
  });
}

const TOLD = {
  refresh: (result) => `Queued: ${result.count} rebuild message(s).`,
  accept_shrink: () => "Queued: a rebuild that may store the shrunk list.",
  purge: (result) => `Purged: ${result.count} of the entries.`,
  soft_purge: (result) => `Marked stale, readers are still served: ${result.count} of the entries.`,
  expire: () => "It is stale now: the next read is served at once, and has it rebuilt.",
  release: (result) => `Released: ${result.count} message(s) come back at once.`,
  redrive: (result) => `Sent back: ${result.count} letter(s).`,
  discard: (result) => `Thrown away: ${result.count} letter(s).`,
  poison: () => "A message that names no dataset is on its way.",
  store_credentials: () => "User and password are stored anew.",
};
