// The page is a form and a list without this. It searches while one types, copies, and keeps the
// address, the age of the list and the offer of a newer one as they should be.

const FIRST_ROWS = 25; // more than a window shows, and quickly made
const FURTHER_ROWS = 100;
const ROWS_PER_PAGE_KEY = 10;
const SAVE_MS = 200;
const HELP_MS = 400;
const DONE_MS = 4000;
const MINUTE_MS = 60_000;
const CHECK_MS = 5 * MINUTE_MS;
const REFUSED = "Not copied: the browser refused. The tag is selected, so copy it yourself.";

const byId = (id) => document.getElementById(id);
const [form, query, count, help] = ["search", "query", "count", "help"].map(byId);
const [more, said] = ["more", "said"].map(byId);

// What the reader sent is the whole list, or what it found in it for the text in the field.
const served = { text: query.defaultValue, programs: read(document), count: count.textContent };
let whole = served.text ? null : served;
let loading = null;

let search = new Search(served.text);
let matches = served.programs;
let active = -1; // the row that Enter copies

// The rows get roles that a list cannot have: with an active one, and buttons in them.
const list = document.createElement("div");
const rowPattern = pattern();

function read(page) {
  return Array.from(page.getElementById("programs").children, (row) => {
    const [name, code, tag] = row.children;
    const flag = name.querySelector("em");
    const text = flag ? name.textContent.slice(0, -flag.textContent.length - 1) : name.textContent;
    return program(text, code.textContent, tag.textContent, Boolean(flag));
  });
}

// --- rows -----------------------------------------------------------------------------------

function pattern() {
  const row = document.createElement("div");
  row.innerHTML = "<b></b> <code></code> <span></span> <div><button type='button'>Copy</button></div>";
  row.role = "row";
  row.ariaSelected = "false";
  for (const cell of row.children) cell.role = "gridcell";
  return row;
}

function rowOf({ name, code, tag, isInactive }, index) {
  const row = rowPattern.cloneNode(true);
  const [nameCell, codeCell, tagCell, buttonCell] = row.children;
  row.id = `program-${index}`;
  nameCell.append(...marked(name), ...(isInactive ? flag() : []));
  codeCell.append(...marked(code));
  tagCell.append(tag);
  buttonCell.firstChild.ariaLabel = `Copy ${tag}`;
  return row;
}

function* marked(text) {
  for (const [part, isMarked] of search.marked(text)) yield isMarked ? element("mark", part) : part;
}

function flag() {
  return [" ", element("em", "inactive")];
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function showMore(upTo) {
  const shown = list.children.length;
  list.append(...matches.slice(shown, upTo).map((each, index) => rowOf(each, shown + index)));
  more.hidden = list.children.length === matches.length;
  more.firstChild.textContent = `The first ${number(list.children.length)} are shown.`;
  more.lastChild.textContent = `Show all ${number(matches.length)}`;
}

function showFurther() {
  showMore(list.children.length + FURTHER_ROWS);
}

function show() {
  takeBack();
  list.replaceChildren();
  list.hidden = byId("columns").hidden = matches.length === 0;
  query.ariaExpanded = String(matches.length > 0);
  showMore(FIRST_ROWS);
  mark(search.words.length ? 0 : -1);
}

function number(value) {
  return value.toLocaleString("en");
}

// --- the marked row -------------------------------------------------------------------------

function mark(index) {
  list.children[active]?.setAttribute("aria-selected", "false");
  const row = list.children[index];
  active = row ? index : -1;
  row?.setAttribute("aria-selected", "true");
  if (row) query.setAttribute("aria-activedescendant", row.id);
  else query.removeAttribute("aria-activedescendant");
}

function move(step) {
  const next = Math.max(0, Math.min(active + step, matches.length - 1));
  if (next >= list.children.length) showFurther();
  mark(next);
  list.children[next]?.scrollIntoView({ block: "nearest" });
}

const ACTIONS = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  PageDown: () => move(ROWS_PER_PAGE_KEY),
  PageUp: () => move(-ROWS_PER_PAGE_KEY),
  Escape: clear,
};

function clear() {
  query.value = "";
  searchAgain();
}

function press(event) {
  const isPlain = !(event.altKey || event.ctrlKey || event.metaKey || event.shiftKey);
  if (event.isComposing || !isPlain || !(event.key in ACTIONS)) return;
  event.preventDefault();
  ACTIONS[event.key]();
}

// --- search ---------------------------------------------------------------------------------

function searchAgain() {
  const text = query.value.trim();
  search = new Search(text);
  keepInAddress(text);
  backToTop();
  if (whole) find(search.find(whole.programs));
  else if (text === served.text) find(served.programs);
  else findLater();
}

function find(found) {
  matches = found;
  count.textContent = summary();
  show();
  offerHelp(query.value.trim());
}

function summary() {
  if (!whole) return served.count;
  if (!search.words.length) return whole.count;
  if (!matches.length) return "No program matches.";
  const all = whole.programs.length;
  return `${number(matches.length)} of ${all === 1 ? "1 program" : `${number(all)} programs`}`;
}

async function findLater() {
  mark(-1);
  count.textContent = "Loading the whole list …";
  if (await loadWhole()) searchAgain();
  else count.textContent = "The whole list could not be loaded. Press Enter to search again.";
}

async function loadWhole() {
  loading ??= fetchPage(addressOf(""));
  const page = await loading;
  loading = null;
  if (page) whole ??= { programs: read(page), count: page.getElementById("count").textContent };
  return page;
}

// The reader knows what is not in this list: inactive programs, and those beyond a limit.
let helpedText = served.text;
let helpTimer;

function offerHelp(text) {
  clearTimeout(helpTimer);
  help.hidden = matches.length > 0 || text !== helpedText;
  if (matches.length === 0 && help.hidden) helpTimer = setTimeout(() => fetchHelp(text), HELP_MS);
}

async function fetchHelp(text) {
  const page = await fetchPage(addressOf(text));
  if (!page || query.value.trim() !== text) return;
  help.replaceChildren(...page.getElementById("help").childNodes);
  helpedText = text;
  help.hidden = false;
}

// The list begins below the search, which stays at the top of the window.
function backToTop() {
  const { offsetTop, offsetHeight } = document.querySelector("header");
  if (scrollY > offsetTop + offsetHeight) scrollTo(0, offsetTop + offsetHeight);
}

// Null where there is no such page at the moment.
async function fetchPage(address, options) {
  try {
    const answer = await fetch(address, options);
    return answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
  } catch {
    return null; // no connection
  }
}

// --- address --------------------------------------------------------------------------------

let saveTimer;

function keepInAddress(text) {
  for (const link of document.querySelectorAll("a.keeps")) link.href = addressOf(text, link.href);
  clearTimeout(saveTimer);
  saveTimer = setTimeout(() => history.replaceState(null, "", addressOf(text)), SAVE_MS);
}

function addressOf(text, base = location.href) {
  const address = new URL(base);
  address.hash = "";
  if (text) address.searchParams.set("q", text);
  else address.searchParams.delete("q");
  return address.href;
}

// The last one counts, as for the reader. Bookmarks of earlier versions have the text after a #.
function textInAddress() {
  const text = new URLSearchParams(location.search).getAll("q").at(-1) ?? "";
  try {
    return decodeURIComponent(location.hash.slice(1)) || text;
  } catch {
    return text;
  }
}

function readAddress() {
  const text = textInAddress();
  if (text.trim() === query.value.trim() && !location.hash) return;
  query.value = text;
  searchAgain();
}

// --- copy -----------------------------------------------------------------------------------

let takeBack = () => {};

async function copy(index) {
  takeBack();
  mark(index);
  const [row, { tag }] = [list.children[index], matches[index]];
  tell(row, tag, (await toClipboard(tag)) || selectedAndCopied(row.children[2]));
}

async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // no permission, or no secure connection
  }
}

function selectedAndCopied(cell) {
  getSelection().selectAllChildren(cell);
  return document.execCommand("copy");
}

// Says it in the row, where the eye is, and to whom listens; the next copy takes it back.
function tell(row, tag, isDone) {
  takeBack();
  const [button, tagCell] = [row.querySelector("button"), row.children[2]];
  const note = element("small", REFUSED);
  row.dataset.copied = isDone ? "yes" : "no";
  said.textContent = isDone ? `Copied ${tag}` : REFUSED;
  if (isDone) button.textContent = "Copied";
  else tagCell.append(note);
  row.scrollIntoView({ block: "nearest" });
  const timer = isDone && setTimeout(() => takeBack(), DONE_MS);
  takeBack = () => {
    clearTimeout(timer);
    note.remove();
    button.textContent = "Copy";
    delete row.dataset.copied;
    said.textContent = "";
    takeBack = () => {};
  };
}

function submit(event) {
  const isKnown = whole || query.value.trim() === served.text;
  if (!isKnown) return; // as without a script: the reader searches
  event.preventDefault();
  if (active >= 0) copy(active);
}

// --- age ------------------------------------------------------------------------------------

let checkedAt = Date.now();

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
  const isFresh = Date.now() < Date.parse(built.dataset.freshUntil);
  byId("stale").hidden = isFresh || byId("trouble").textContent !== "";
}

function tick() {
  if (document.visibilityState !== "visible") return;
  showAge();
  if (Date.now() - checkedAt >= CHECK_MS) check();
}

// The browser asks with the ETag that it has, so an unchanged page costs a 304.
async function check() {
  checkedAt = Date.now();
  const page = await fetchPage(addressOf(""), { cache: "no-cache" });
  if (!page) return;
  byId("trouble").textContent = page.getElementById("trouble").textContent;
  if (page.getElementById("built").dateTime !== byId("built").dateTime) offerRenewed();
  showAge();
}

function offerRenewed() {
  if (byId("renewed").textContent) return;
  const button = element("button", "Show it");
  button.type = "button";
  button.addEventListener("click", () => location.reload());
  byId("renewed").append("There is a newer list. ", button);
}

// --- print ----------------------------------------------------------------------------------

function showAllForPrint() {
  showMore(matches.length);
}

// --- start ----------------------------------------------------------------------------------

function start() {
  list.id = "programs";
  list.role = "grid";
  list.ariaLabel = "Programs";
  query.role = "combobox";
  query.ariaHasPopup = "grid";
  query.ariaAutoComplete = "list";
  query.setAttribute("aria-controls", "programs");
  byId("programs").replaceWith(list);
  show();
  showAge();
  listen();
  readAddress();
  if (query.value.trim() !== served.text) searchAgain();
  if (!whole) loadWhole();
  // Not on a phone, where the keyboard would cover the list.
  if (matchMedia("(pointer: fine)").matches) query.focus();
}

function listen() {
  query.addEventListener("input", searchAgain);
  query.addEventListener("keydown", press);
  form.addEventListener("submit", submit);
  list.addEventListener("click", (event) => {
    const row = event.target.closest("button")?.closest("[role=row]");
    if (row) copy(Array.prototype.indexOf.call(list.children, row));
  });
  more.lastChild.addEventListener("click", () => showMore(matches.length));
  const approach = new IntersectionObserver(([{ isIntersecting }]) => isIntersecting && showFurther());
  approach.observe(more);
  for (const name of ["popstate", "hashchange"]) addEventListener(name, readAddress);
  addEventListener("beforeprint", showAllForPrint);
  document.addEventListener("visibilitychange", tick);
  setInterval(tick, MINUTE_MS);
}

start();
