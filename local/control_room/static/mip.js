// MIP Cloud: how it is, and its faults at the press of a button.

import { press } from "./actions.js";
import { button, found, setText } from "./elements.js";
import { counted } from "./words.js";

const FAULTS = {
  down: ["Down", "It takes no connection."],
  slow: ["Slow", "Every call takes three seconds."],
  locked_out: ["Locked out", "Each login is refused: another session is open."],
  bad_credentials: ["Bad credentials", "Each login is refused: the password is wrong."],
  shrunk_list: ["Shrunk list", "Four of five programs are gone from its list."],
};

let active = [];

/** Offer the faults, where this stack has the stand-in for MIP Cloud. */
export function offerFaults(setting) {
  if (!setting.actions.includes("fault")) {
    found("faults").replaceChildren();
    return;
  }
  const faults = Object.entries(FAULTS).map(([name, [label, meaning]]) => {
    const made = button(label, () => toggle(made, name), { "aria-pressed": "false", "data-fault": name, title: meaning });
    return made;
  });
  const heal = button("Heal", () => press(heal, "heal", {}, () => "MIP Cloud is well again."), { class: "primary" });
  const store = button("Store credentials anew", () => press(store, "store_credentials"), { title: "What an operator does after a new password: without it, refused ones are not tried again for an hour." });
  found("faults").replaceChildren(...faults, heal, store);
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
    each.setAttribute("aria-pressed", String(active.includes(each.dataset.fault)));
  }
  setText(found("mip-state"), stateOf(mip));
  setText(found("mip-counters"), countersOf(mip));
}

function toggle(pressed, name) {
  const [label] = FAULTS[name];
  if (active.includes(name)) press(pressed, "heal", { name }, () => `Over: ${label}.`);
  else press(pressed, "fault", { name }, () => `On: ${label}. ${FAULTS[name][1]}`);
}

function stateOf(mip) {
  const told = [mip.open_sessions ? `${counted(mip.open_sessions, "session")} open.` : "No session is open."];
  if (mip.calls_under_way) told.push(`${counted(mip.calls_under_way, "call")} under way.`);
  for (const [user, seconds] of Object.entries(mip.locked_users)) {
    told.push(`${user} is locked out for ${Math.ceil(seconds)} s.`);
  }
  told.push(active.length ? active.map((name) => FAULTS[name][1]).join(" ") : "It is well.");
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
