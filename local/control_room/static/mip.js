// MIP Cloud: how it is, and its faults at the press of a button.

import { press } from "./actions.js";
import { button, found, setAttribute, setText } from "./elements.js";
import { counted } from "./words.js";

let faults = {};
let active = [];

/** Offer the faults, where this stack has the stand-in for MIP Cloud. */
export function offerFaults(setting) {
  faults = Object.fromEntries(setting.faults.map((fault) => [fault.name, fault]));
  if (!setting.actions.includes("fault")) {
    found("faults").replaceChildren();
    return;
  }
  const buttons = setting.faults.map(({ name, label, meaning }) => {
    const made = button(label, () => toggle(made, name), { "aria-pressed": "false", "data-fault": name, title: meaning });
    return made;
  });
  const heal = button("Heal", () => press(heal, "heal", {}, () => "MIP Cloud is well again."), { class: "primary" });
  const store = button("Store credentials anew", () => press(store, "store_credentials"), { title: "What an operator does after a new password: without it, refused ones are not tried again for an hour." });
  found("faults").replaceChildren(...buttons, heal, store);
}

/** Show how MIP Cloud is. */
export function showMip({ mip, status, setting }) {
  if (!setting.mip_url) {
    setText(found("mip-state"), `The real one runs elsewhere, and is left alone. ${status?.session_open ? "A session is open." : "No session is open."}`);
    return;
  }
  if (!mip) return;
  active = mip.active;
  for (const each of found("faults").querySelectorAll("[data-fault]")) {
    setAttribute(each, "aria-pressed", active.includes(each.dataset.fault));
  }
  setText(found("mip-state"), stateOf(mip));
  setText(found("mip-counters"), countersOf(mip));
}

/** What is wrong with MIP Cloud, in a word or two each; nothing where it is well. */
export function troublesOf({ active: on, others, locked_users: locked }) {
  const isLocked = Object.keys(locked).length > 0 && !on.includes("locked_out");
  return [...on.map((name) => faults[name].label.toLowerCase()), ...others, ...(isLocked ? ["locked out"] : [])];
}

function toggle(pressed, name) {
  const { label, meaning } = faults[name];
  if (active.includes(name)) press(pressed, "heal", { name }, () => `Over: ${label}.`);
  else press(pressed, "fault", { name }, ({ ended }) => [`On: ${label}. ${meaning}`, ...ended.map((other) => `It takes the place of: ${faults[other].label}.`)].join(" "));
}

function stateOf(mip) {
  const told = [mip.open_sessions ? `${counted(mip.open_sessions, "session")} open.` : "No session is open."];
  if (mip.calls_under_way) told.push(`${counted(mip.calls_under_way, "call")} under way.`);
  for (const [user, seconds] of Object.entries(mip.locked_users)) {
    told.push(`${user} is locked out for ${Math.ceil(seconds)} s.`);
  }
  told.push(...active.map((name) => faults[name].meaning), ...mip.others);
  if (!troublesOf(mip).length) told.push("It is well.");
  return told.join(" ");
}

function countersOf({ counters, programs }) {
  return [
    `${counters.logins} of ${counted(counters.login_attempts, "login")}`,
    counted(counters.logouts, "logout"),
    counted(counters.lockouts, "lock-out"),
    counted(counters.calls.balances, "balances call"),
    `${programs} programs`,
  ].join(" · ");
}
