// Looks again when the server said that it makes sense, and shows the list once it is there.

const LONGEST_TIMER_SECONDS = 86_400;
const next = document.getElementById("next");

function lookIn(seconds) {
  setTimeout(look, Math.min(seconds, LONGEST_TIMER_SECONDS) * 1000);
}

async function look() {
  next.textContent = "Looking again …";
  const seconds = await secondsToWait();
  if (seconds === 0) {
    location.reload();
    return;
  }
  next.textContent = "Not yet. This page goes on looking by itself.";
  lookIn(seconds);
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

if (next) lookIn(Number(next.dataset.seconds));
