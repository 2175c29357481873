// The control room: shows what the stack tells, and hands on what is pressed.

import { connectButtons } from "./actions.js";
import { element, found, setAttribute, setShown, setText } from "./elements.js";
import { showEntries } from "./entries.js";
import { showLetters } from "./letters.js";
import { clearLog, connectLog, logEvent } from "./log.js";
import { offerFaults, showMip } from "./mip.js";
import { partsOf } from "./parts.js";
import { drawPicture, lightUp, showParts } from "./picture.js";
import { watch } from "./polling.js";
import { showQueue } from "./queue.js";
import { offerRoutes } from "./reading.js";
import { showRebuilds } from "./rebuilds.js";
import { setClock, timeOfDay } from "./words.js";

const CONNECTIONS = {
  live: ["live", "good"],
  lost: ["no connection; trying again", "bad"],
  stopped: ["the stack has stopped", "bad"],
};

let state;
let lastAnswer;

function show(told, isFirst) {
  state = told;
  setClock(state.at);
  if (isFirst) begin(state.setting);
  for (const event of state.events) {
    if (event.listed) logEvent(event);
    // What happened before the first state is history.
    if (!isFirst) lightUp(event);
  }
  showParts(partsOf(state, lastAnswer));
  showEntries(state.status, state.setting.datasets);
  showQueue(state.status);
  showLetters(state.status);
  showRebuilds(state.rebuilds);
  showMip(state);
  setShown(found("problems"), state.problems.length > 0);
  setText(found("problems"), state.problems.join(" "));
}

function begin(setting) {
  clearLog();
  offerRoutes(setting.routes, showAnswer);
  offerFaults(setting);
  found("dataset").replaceChildren(...setting.datasets.map((name) => element("option", { value: name }, name)));
}

function showAnswer(answer) {
  lastAnswer = answer;
  if (state) showParts(partsOf(state, lastAnswer));
}

// What shows the past is grey, and says of which moment it is; its buttons have nobody to ask.
function showConnection(how) {
  const [text, mood] = CONNECTIONS[how];
  const badge = found("connection");
  setText(badge, text);
  setAttribute(badge, "class", `badge ${mood}`);
  setAttribute(document.body, "data-connection", how);
  setShown(found("past"), how !== "live" && Boolean(state));
  if (state) setText(found("past"), how === "live" ? "" : `This is how it was at ${timeOfDay(state.at)}.`);
  for (const each of document.querySelectorAll("main button:not([data-own])")) {
    if (each.disabled !== (how !== "live")) each.disabled = how !== "live";
  }
}

drawPicture();
connectButtons();
connectLog();
watch(show, showConnection);
