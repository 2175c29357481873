// Reading a route as a client does, and showing what came back.

import { busily, perform } from "./actions.js";
import { button, element, found } from "./elements.js";
import { size, taken } from "./words.js";

const TOLD_FIRST = ["Cache-Status", "Retry-After"];

/** Offer a button per route; `told` is given each answer. */
export function offerRoutes(routes, told) {
  const buttons = routes.map(({ path, signed }) => {
    const made = button(signed ? `GET ${path} (signed)` : `GET ${path}`, () => read(made, path, told), { class: "primary" });
    return made;
  });
  found("routes").replaceChildren(...buttons);
}

/** Hit, stale or miss: what a Cache-Status says in one word (RFC 9211); "" where there is none. */
export function kindOf(cacheStatus = "") {
  if (cacheStatus.includes("; hit; ttl=-")) return "stale";
  if (cacheStatus.includes("; hit")) return "hit";
  return cacheStatus.includes("fwd=") ? "miss" : "";
}

function read(pressed, path, told) {
  return busily(pressed, async () => {
    found("answer").replaceChildren(element("p", { class: "hint" }, `GET ${path} waits for its answer …`));
    try {
      const answer = await perform("read", { route: path, query: found("query").value, headers: found("headers").value });
      found("answer").replaceChildren(...shown(answer, () => read(pressed, path, told)));
      told({ status: answer.status, kind: kindOf(answer.headers["Cache-Status"]) });
    } catch (problem) {
      found("answer").replaceChildren();
      throw problem;
    }
  });
}

function shown(answer, again) {
  const mood = answer.status >= 500 ? "bad" : answer.status >= 400 ? "warn" : "good";
  const kind = kindOf(answer.headers["Cache-Status"]);
  const headers = Object.entries(answer.headers);
  return [
    element("p", { class: "request" }, answer.request),
    element(
      "p",
      { class: "verdict" },
      element("span", { class: `badge ${mood}` }, String(answer.status)),
      ...(kind ? [element("span", { class: `badge ${kind}` }, kind)] : []),
      element("span", {}, `in ${taken(answer.seconds)}, ${size(answer.size_bytes)}`),
    ),
    element("p", { class: "hint" }, meaning(answer, kind)),
    element("dl", { class: "headers" }, ...headers.filter(([name]) => TOLD_FIRST.includes(name)).map(header)),
    element("div", { class: "buttons small" }, copyButton(answer.curl), ...(answer.headers.ETag ? [conditionalButton(answer.headers.ETag, again)] : [])),
    element(
      "details",
      {},
      element("summary", {}, "All headers, the body, and the command"),
      element("dl", { class: "headers" }, ...headers.map(header)),
      element("pre", { tabindex: "0", "aria-label": "Body of the answer" }, answer.preview),
      element("pre", { tabindex: "0", "aria-label": "The request as a command" }, answer.curl),
    ),
  ];
}

function copyButton(command) {
  const made = button("Copy as curl", () =>
    busily(made, async () => {
      try {
        await navigator.clipboard.writeText(command);
      } catch {
        throw new Error("The browser does not let this page copy; the command stands below the headers.");
      }
      return "Copied.";
    }),
  );
  return made;
}

// As a client does that has the answer already: 304 says that it may keep it.
function conditionalButton(etag, again) {
  return button("Ask again with its ETag", () => {
    const others = found("headers").value.split("\n").filter((line) => line.trim() && !/^if-none-match:/i.test(line));
    found("headers").value = [...others, `If-None-Match: ${etag}`].join("\n");
    again();
  });
}

function header([name, value]) {
  return element("div", {}, element("dt", {}, name), element("dd", {}, value));
}

function meaning(answer, kind) {
  if (answer.status === 304) return "Not modified: what the client has is still right.";
  if (answer.status === 503) return "Nothing is there yet; Retry-After says when to come back.";
  if (answer.status >= 400) return "The request was refused; the body says why.";
  const meanings = {
    hit: "Fresh: served from S3 at once.",
    stale: "Stale: served all the same, and a rebuild was asked for.",
    miss: "A miss: the reader waited until the worker had stored it.",
  };
  return meanings[kind] ?? "";
}
