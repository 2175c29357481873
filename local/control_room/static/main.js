// The control room: shows what the stack tells, and hands on what is pressed.

import { connectButtons } from "./actions.js";
import { found, setText } from "./elements.js";
import { showEntries, startClock } from "./entries.js";
import { showLetters } from "./letters.js";
import { clearLog, logEvent } from "./log.js";
import { offerFaults, showMip } from "./mip.js";
import { partsOf } from "./parts.js";
import { drawPicture, lightUp, showParts } from "./picture.js";
import { watch } from "./polling.js";
import { offerRoutes } from "./reading.js";

const CONNECTIONS = {
  live: ["live", "good"],
  lost: ["no connection; trying again", "bad"],
  stopped: ["the stack has stopped", "bad"],
};

let state;
let lastAnswer;

function show(told, isFirst) {
  state = told;
  if (isFirst) {
    clearLog();
    offerRoutes(state.setting.routes, showAnswer);
    offerFaults(state.setting);
  }
  showParts(partsOf(state, lastAnswer));
  showEntries(state.status, state.at);
  showLetters(state.status);
  showMip(state);
  found("problems").hidden = state.problems.length === 0;
  setText(found("problems"), state.problems.join(" "));
  for (const event of state.events) {
    if (event.listed) logEvent(event);
    // What happened before the first state is history.
    if (!isFirst) lightUp(event);
  }
}

function showAnswer(answer) {
  lastAnswer = answer;
  if (state) showParts(partsOf(state, lastAnswer));
}

function showConnection(how) {
  const [text, mood] = CONNECTIONS[how];
  const badge = found("connection");
  setText(badge, text);
  badge.className = `badge ${mood}`;
  document.body.dataset.connection = how;
}

drawPicture();
connectButtons();
startClock();
watch(show, showConnection);
