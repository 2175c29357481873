// The list works without this. It adds the search, the copy buttons and how long ago things were.

const SAY_DONE_MS = 2000;
const MINUTE_MS = 60_000;
// Letters that Unicode does not take apart into a letter and an accent.
const PLAIN = { ß: "ss", æ: "ae", œ: "oe", ø: "o", đ: "d", ł: "l", ı: "i" };

const byId = (id) => document.getElementById(id);
const [query, list, count, said, link] = ["query", "programs", "count", "said", "switch"].map(byId);
const total = count.textContent;

const rows = Array.from(list.children, (element) => ({
  element,
  key: normalised(element.textContent),
  tag: element.querySelector("span").textContent,
}));

function normalised(text) {
  return text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[ßæœøđłı]/g, (letter) => PLAIN[letter]);
}

// --- search ---------------------------------------------------------------------------------

function filter() {
  const words = normalised(query.value).split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const { element, key } of rows) {
    const fits = words.every((word) => key.includes(word));
    if (element.hidden === fits) element.hidden = !fits;
    shown += fits;
  }
  list.hidden = shown === 0;
  count.textContent = words.length ? summary(shown) : total;
}

function summary(shown) {
  if (shown === 0) return "No program matches.";
  return `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} programs`;
}

// What was searched for stays with the page: when it is reloaded, shared, or shows the inactive ones.
function keepQuery() {
  const hash = query.value ? `#${encodeURIComponent(query.value)}` : "";
  history.replaceState(null, "", location.pathname + location.search + hash);
  link.hash = hash;
}

function restoreQuery() {
  try {
    query.value = decodeURIComponent(location.hash.slice(1));
  } catch {
    query.value = "";
  }
  link.hash = location.hash;
}

function search() {
  filter();
  keepQuery();
}

// --- copy -----------------------------------------------------------------------------------

function addButtons() {
  const pattern = document.createElement("button");
  pattern.type = "button";
  pattern.textContent = "Copy";
  for (const row of rows) {
    const button = pattern.cloneNode(true);
    button.setAttribute("aria-label", `Copy ${row.tag}`);
    row.element.append(" ", button);
  }
}

async function copy({ element, tag }) {
  const button = element.querySelector("button");
  if ((await toClipboard(tag)) || selected(element.querySelector("span"))) {
    said.textContent = `Copied ${tag}`;
    flash(button);
  } else {
    said.textContent = "The browser did not allow copying. The tag is selected: copy it yourself.";
  }
}

async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // no permission, or no secure connection
  }
}

function selected(element) {
  getSelection().selectAllChildren(element);
  return document.execCommand("copy");
}

function flash(button) {
  button.textContent = "Copied";
  button.classList.add("done");
  setTimeout(() => {
    button.textContent = "Copy";
    button.classList.remove("done");
    said.textContent = "";
  }, SAY_DONE_MS);
}

function copyFirst() {
  const first = rows.find(({ element }) => !element.hidden);
  if (query.value.trim() && first) copy(first);
}

// --- freshness ------------------------------------------------------------------------------

function ago(ms) {
  const format = new Intl.RelativeTimeFormat("en");
  const minutes = Math.floor(Math.max(0, ms) / MINUTE_MS);
  if (minutes < 1) return "just now";
  if (minutes < 60) return format.format(-minutes, "minute");
  if (minutes < 48 * 60) return format.format(-Math.floor(minutes / 60), "hour");
  return format.format(-Math.floor(minutes / (24 * 60)), "day");
}

function showAge() {
  const built = byId("built");
  byId("age").textContent = `${ago(Date.now() - Date.parse(built.dateTime))},`;
  byId("stale").hidden = Date.now() < Date.parse(built.dataset.freshUntil);
}

// --- start ----------------------------------------------------------------------------------

addButtons();
showAge();
setInterval(showAge, MINUTE_MS);
byId("search").hidden = false;
restoreQuery();
filter();
query.addEventListener("input", search);
byId("search").addEventListener("submit", (event) => {
  event.preventDefault();
  copyFirst();
});
list.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) copy(rows.find(({ element }) => element === button.parentElement));
});
// Not on a phone, where the keyboard would cover the list.
if (matchMedia("(pointer: fine)").matches) query.focus();
