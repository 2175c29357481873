// The stack's state, asked for twice a second for as long as the page is looked at.

const PAUSE_MS = 500;
const PATIENCE_MS = 10_000;

let last = 0;
let run = "";

/**
 * Watch the stack. `show` is given each state, and whether it is the first one of a run of the
 * stack; `connection` is given "live", "lost" or "stopped".
 */
export async function watch(show, connection) {
  try {
    if (!document.hidden) await look(show, connection);
  } catch {
    connection("lost");
  }
  setTimeout(() => watch(show, connection), PAUSE_MS);
}

async function look(show, connection) {
  let state = await stateAfter(last);
  const isFirst = state.run !== run;
  // Another run counts its events anew.
  if (isFirst && last) state = await stateAfter(0);
  run = state.run;
  if (isFirst) last = 0;
  last = state.events.at(-1)?.number ?? last;
  show(state, isFirst);
  connection(state.stopping ? "stopped" : "live");
}

async function stateAfter(number) {
  const response = await fetch(`state?after=${number}`, { signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!response.ok) throw new Error(`The stack answered ${response.status}.`);
  return response.json();
}
