// The control room: shows what the stack tells, and hands on what is pressed.

import { connectButtons } from "./actions.js";
import { found, setText } from "./elements.js";
import { showEntries, startClock } from "./entries.js";
import { showLetters } from "./letters.js";
import { clearLog, logHappening } from "./log.js";
import { offerFaults, showMip } from "./mip.js";
import { partsOf } from "./parts.js";
import { drawPicture, lightUp, showParts } from "./picture.js";
import { offerRoutes } from "./reading.js";
import { watch } from "./stream.js";

const CONNECTIONS = {
  live: ["live", "good"],
  lost: ["no connection; trying again", "bad"],
  stopped: ["the stack has stopped", "bad"],
};

let setting;
let state;
let lastNumber = 0;
let lastAnswer;

function showSetting(told) {
  setting = told;
  state = undefined;
  lastNumber = 0;
  clearLog();
  offerRoutes(setting.routes, showAnswer);
  offerFaults(setting);
}

function showState(told) {
  state = told;
  showParts(partsOf(state, setting, lastAnswer));
  showEntries(state.cache, state.at);
  showLetters(state.dead_letters);
  showMip(state, setting);
  found("problems").hidden = state.problems.length === 0;
  setText(found("problems"), state.problems.join(" "));
}

function showHappening(happening) {
  // What was told from memory may be told once more as it is passed on.
  if (happening.number <= lastNumber) return;
  lastNumber = happening.number;
  if (happening.listed) logHappening(happening);
  // What happened before the first state is history.
  if (state) lightUp(happening);
}

function showAnswer(answer) {
  lastAnswer = answer;
  if (state) showParts(partsOf(state, setting, lastAnswer));
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
watch({
  setting: showSetting,
  state: showState,
  happening: showHappening,
  connection: showConnection,
});
