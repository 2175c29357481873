// Counts down to the time that the server named, looks again, and shows the list once it is there.

const SECOND_MS = 1000;
// A long pause can end early: an operator can have the list fetched at any time.
const LONGEST_WAIT_SECONDS = 300;
const next = document.getElementById("next");
const [left, bar, said] = ["left", "bar", "said"].map((id) => document.getElementById(id));

let total;
let dueAt;
let isLooking = false;

function waitFor(seconds) {
  total = Math.min(seconds, LONGEST_WAIT_SECONDS);
  dueAt = Date.now() + total * SECOND_MS;
  bar.max = total;
  tick();
}

function tick() {
  const seconds = Math.max(0, Math.ceil((dueAt - Date.now()) / SECOND_MS));
  bar.value = total - seconds;
  left.textContent = duration(seconds);
  if (seconds === 0) look();
}

function duration(seconds) {
  if (seconds < 120) return seconds === 1 ? "1 second" : `${seconds} seconds`;
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} minutes`;
}

async function look() {
  if (isLooking) return;
  isLooking = true;
  said.textContent = "Looking again …";
  const seconds = await secondsToWait();
  if (seconds === 0) {
    location.reload();
    return;
  }
  said.textContent = "Not yet. This page goes on looking by itself.";
  isLooking = false;
  waitFor(seconds);
}

// 0 when there is something else to show than this page.
async function secondsToWait() {
  try {
    const answer = await fetch(location.href, { method: "HEAD", cache: "no-store" });
    if (answer.status < 500 && answer.status !== 429) return 0;
    return Number(answer.headers.get("Retry-After")) || Number(next.dataset.seconds);
  } catch {
    return Number(next.dataset.seconds); // no connection at the moment
  }
}

if (next) {
  waitFor(Number(next.dataset.seconds));
  setInterval(tick, SECOND_MS);
  document.addEventListener("visibilitychange", tick);
}
