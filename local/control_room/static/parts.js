// The state of the stack, in a few words per part of the picture.

import { counted } from "./words.js";

/** What each part of the picture says, given the state and the last answer. */
export function partsOf(state, lastAnswer) {
  const { status, setting } = state;
  return {
    client: client(lastAnswer),
    api: { text: new URL(setting.api_url).host },
    reader: running(state.running.reader, "serving"),
    cache: cache(status),
    queue: queue(status?.queue),
    worker: running(state.running.worker, "at work"),
    mip: mip(state),
    dead_letters: letters(status),
    schedule: { text: "rebuilds all" },
    admin: running(state.running.admin, "at work", "purge, refresh, …"),
  };
}

function client(answer) {
  if (!answer) return { text: "reads" };
  const mood = answer.status >= 500 ? "bad" : answer.status >= 400 ? "warn" : "";
  return { text: answer.kind ? `${answer.status}, ${answer.kind}` : String(answer.status), mood };
}

function running(count, text, idle = "idle") {
  if (!count) return { text: idle };
  return { text: count > 1 ? `${text} (${count})` : text, mood: "busy" };
}

function cache(found) {
  if (!found) return { text: "out of reach", mood: "bad" };
  const count = (state) => found.entries.filter((entry) => entry.state === state).length;
  const told = ["fresh", "stale", "purged", "unreadable"].filter(count).map((state) => `${count(state)} ${state}`);
  return { text: told.join(", ") || "empty", mood: count("fresh") === found.entries.length ? "" : "warn" };
}

function queue(depth) {
  if (!depth) return { text: "out of reach", mood: "bad" };
  const told = [];
  if (depth.visible) told.push(`${depth.visible} waiting`);
  if (depth.in_flight) told.push(`${depth.in_flight} in flight`);
  return { text: told.join(", ") || "empty", mood: told.length ? "busy" : "" };
}

function letters(found) {
  if (!found) return { text: "out of reach", mood: "bad" };
  return found.dead_letters ? { text: counted(found.dead_letters, "letter"), mood: "bad" } : { text: "none" };
}

function mip({ mip: found, status, setting }) {
  if (setting.mip_url && !found) return { text: "out of reach", mood: "bad" };
  const open = found ? found.open_sessions > 0 : status?.session_open;
  const text = open ? "session open" : "no session";
  const note = found ? trouble(found) : "";
  return { text, note, mood: note ? "bad" : open ? "busy" : "" };
}

function trouble({ active, locked_users: locked }) {
  if (active.length > 1) return counted(active.length, "fault");
  if (active.length) return active[0].replace("_", " ");
  return Object.keys(locked).length ? "locked out" : "";
}
