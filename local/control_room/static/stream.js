// Server-sent events, for as long as the page is open.

const AGAIN_AFTER_MS = 3000;
const KINDS = ["setting", "happening", "state"];

/**
 * Watch the stack. `handlers` has a function per kind of event, which is given its value, and
 * `connection`, which is given "live", "lost" or "stopped".
 */
export function watch(handlers) {
  const source = new EventSource("events");
  let stopped = false;
  source.addEventListener("open", () => {
    stopped = false;
    handlers.connection("live");
  });
  source.addEventListener("stopped", () => {
    stopped = true;
    handlers.connection("stopped");
  });
  for (const kind of KINDS) {
    source.addEventListener(kind, (event) => handlers[kind](JSON.parse(event.data)));
  }
  source.addEventListener("error", () => {
    if (!stopped) handlers.connection("lost");
    // The browser comes back by itself, unless it was refused.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => watch(handlers), AGAIN_AFTER_MS);
  });
}
