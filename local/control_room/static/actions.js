// Buttons: what is asked of the stack, and what it says to that.

import { found, setText } from "./elements.js";

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

/** Have an action done by a button, which is busy meanwhile, and say what came of it. */
export async function press(pressed, name, given = {}, told = told_of(name)) {
  if (pressed.getAttribute("aria-busy") === "true") return;
  pressed.setAttribute("aria-busy", "true");
  try {
    say(told(await perform(name, given)));
  } catch (problem) {
    say(problem.message, true);
  } finally {
    pressed.removeAttribute("aria-busy");
  }
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
  for (const each of document.querySelectorAll("button[data-action]")) {
    const given = each.dataset.all ? { all: true } : {};
    each.addEventListener("click", () => press(each, each.dataset.action, given));
  }
}

function told_of(name) {
  const verbs = {
    refresh: (result) => `Queued: ${result.count} rebuild message(s).`,
    purge: (result) => `Deleted: ${result.count} of the entries.`,
    soft_purge: (result) => `Marked stale: ${result.count} of the entries.`,
    expire: () => "It is stale now: the next read is served at once, and has it rebuilt.",
    redrive: (result) => `Sent back: ${result.count} letter(s).`,
    discard: (result) => `Thrown away: ${result.count} letter(s).`,
    poison: () => "A message that names no dataset is on its way.",
    store_credentials: () => "User and password are stored anew.",
  };
  return verbs[name] ?? (() => "Done.");
}
