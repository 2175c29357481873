// The state of the stack, in a few words per part of the picture.

import { troublesOf } from "./mip.js";
import { nextRetry } from "./queue.js";
import { counted } from "./words.js";

/** What each part of the picture says, given the state and the last answer. */
export function partsOf(state, lastAnswer) {
  const { status, setting } = state;
  return {
    client: client(lastAnswer),
    api: { text: new URL(setting.api_url).host },
    reader: running(state.running.reader, "serving"),
    cache: cache(status),
    queue: queue(status),
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

function queue(found) {
  if (!found) return { text: "out of reach", mood: "bad" };
  const { visible, in_flight: inFlight } = found.queue;
  const told = [];
  if (visible) told.push(`${visible} waiting`);
  if (inFlight) told.push(`${inFlight} in flight`);
  const note = nextRetry(found);
  return { text: told.join(", ") || "empty", note, mood: note ? "warn" : told.length ? "busy" : "" };
}

function letters(found) {
  if (!found) return { text: "out of reach", mood: "bad" };
  return found.dead_letters ? { text: counted(found.dead_letters, "letter"), mood: "bad" } : { text: "none" };
}

function mip({ mip: found, status, setting }) {
  if (setting.mip_url && !found) return { text: "out of reach", mood: "bad" };
  const open = found ? found.open_sessions > 0 : status?.session_open;
  const troubles = found ? troublesOf(found) : [];
  const note = troubles.length > 1 ? counted(troubles.length, "fault") : (troubles[0] ?? "");
  return { text: open ? "session open" : "no session", note: note.slice(0, 20), mood: note ? "bad" : open ? "busy" : "" };
}
