// Server-sent events, for as long as the page is looked at.

const AGAIN_AFTER_MS = 3000;
const KINDS = ["setting", "happening", "state"];

/**
 * Watch the stack. `handlers` has a function per kind of event, which is given its value, and
 * `connection`, which is given "live", "lost" or "stopped".
 */
export function watch(handlers) {
  let source = listen(handlers);
  // A browser has few connections per host: tabs that nobody looks at must not use them up.
  document.addEventListener("visibilitychange", () => {
    source.close();
    if (!document.hidden) source = listen(handlers);
  });
  setInterval(() => {
    // The browser comes back by itself, unless it was refused.
    const refused = source.readyState === EventSource.CLOSED;
    if (refused && !document.hidden) source = listen(handlers);
  }, AGAIN_AFTER_MS);
}

function listen(handlers) {
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
  source.addEventListener("error", () => {
    if (!stopped) handlers.connection("lost");
  });
  for (const kind of KINDS) {
    source.addEventListener(kind, (event) => handlers[kind](JSON.parse(event.data)));
  }
  return source;
}
