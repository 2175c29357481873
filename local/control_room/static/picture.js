// The flow as a picture: what state each part is in, and where something passes just now.

import { found, setAttribute, setText, shape } from "./elements.js";
import { MIDDLE, NARROW, PARTS, WIDE } from "./picture_layout.js";

const LIT_MS = 1600;
const narrow = window.matchMedia("(max-width: 600px)");
const wide = window.matchMedia("(min-width: 1080px)");
const timers = new Map();

let said = {};

/** Draw the picture, and again when the screen's width calls for the other layout. */
export function drawPicture() {
  draw();
  for (const width of [narrow, wide]) width.addEventListener("change", draw);
}

/** Say under each part's name how it is: `{part: {text, note, mood}}`; moods are busy, warn, bad. */
export function showParts(parts) {
  said = parts;
  for (const [name, { text, note = "", mood = "" }] of Object.entries(parts)) {
    const part = document.getElementById(`part-${name}`);
    setAttribute(part, "data-mood", mood);
    // With a note there are three lines to be fitted in.
    setAttribute(part, "class", note ? "part three" : "part");
    setText(part.querySelector(".says"), text);
    setText(part.querySelector(".note"), note);
  }
  const sentences = Object.entries(parts).map(
    ([name, { text, note }]) => `${PARTS[name]}: ${note ? `${text}, ${note}` : text}.`,
  );
  setText(found("picture-text"), sentences.join(" "));
}

/** Light up what an event passes through, and the parts at both ends of it. */
export function lightUp({ passes, level }) {
  for (const passed of passes) {
    light(document.getElementById(`line-${passed}`), level);
    for (const end of passed.split("-")) light(document.getElementById(`part-${end}`), level);
  }
}

function draw() {
  const layout = narrow.matches ? NARROW : wide.matches ? WIDE : MIDDLE;
  const picture = found("picture");
  picture.setAttribute("viewBox", `0 0 ${layout.width} ${layout.height}`);
  picture.replaceChildren(
    shape("title", { id: "picture-title" }, "The way of a request, and of a rebuild"),
    shape("defs", {}, arrowhead()),
    ...Object.entries(layout.lines).map(([name, path]) => line(name, path)),
    ...layout.labels.map(label),
    ...Object.entries(layout.parts).map(([name, centre]) => part(name, centre, layout.part)),
  );
  showParts(said);
}

function arrowhead() {
  const marker = { id: "arrowhead", viewBox: "0 0 8 8", refX: 2, refY: 4, orient: "auto" };
  const size = { markerWidth: 8, markerHeight: 8, markerUnits: "userSpaceOnUse" };
  return shape("marker", { ...marker, ...size }, shape("path", { d: "M0 0 L8 4 L0 8 Z" }));
}

function line(name, path) {
  return shape("path", { id: `line-${name}`, class: "line", d: path, "marker-end": "url(#arrowhead)" });
}

function label([text, x, y, anchor]) {
  return shape("text", { class: "label", x, y, "text-anchor": anchor }, text);
}

function part(name, [x, y], { width, height }) {
  const box = { class: "box", x: x - width / 2, y: y - height / 2, width, height, rx: 12 };
  return shape(
    "g",
    { id: `part-${name}`, class: "part" },
    shape("rect", box),
    shape("text", { class: "name", x, y: y - 5, "text-anchor": "middle" }, PARTS[name]),
    shape("text", { class: "says", x, y: y + 16, "text-anchor": "middle" }, ""),
    shape("text", { class: "note", x, y: y + 34, "text-anchor": "middle" }, ""),
  );
}

function light(lit, level) {
  if (!lit) return;
  lit.dataset.lit = level;
  clearTimeout(timers.get(lit));
  timers.set(lit, setTimeout(() => delete lit.dataset.lit, LIT_MS));
}
