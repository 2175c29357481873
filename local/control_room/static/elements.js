// DOM elements made from plain values. Text is always text: nothing here reads markup.
// What is shown already is not written again: while nothing changes, the browser has nothing to do.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element with attributes and children, which are elements or texts. */
export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** The same for a part of an SVG picture. */
export function shape(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

/** A button that runs `press` when it is pressed. */
export function button(label, press, attributes = {}) {
  const made = element("button", { type: "button", ...attributes }, label);
  made.addEventListener("click", press);
  return made;
}

/** The page's element with this id. */
export function found(id) {
  return document.getElementById(id);
}

/** Change a text. */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** Change an attribute. */
export function setAttribute(target, name, value) {
  if (target.getAttribute(name) !== String(value)) target.setAttribute(name, value);
}

/** Show an element, or hide it. */
export function setShown(target, isShown) {
  if (target.hidden === isShown) target.hidden = !isShown;
}

/**
 * Bring a list's children in line with `items`. An item that stays keeps its element, and so the
 * focus and what is unfolded in it; `make` is called for a new one, `update` for each.
 */
export function keepInLine(list, items, keyOf, make, update) {
  const before = new Map([...list.children].map((child) => [child.dataset.key, child]));
  let place = list.firstElementChild;
  for (const item of items) {
    const key = String(keyOf(item));
    let child = before.get(key);
    before.delete(key);
    if (!child) {
      child = make(item);
      child.dataset.key = key;
    }
    if (child === place) place = place.nextElementSibling;
    else list.insertBefore(child, place);
    update(child, item);
  }
  for (const child of before.values()) child.remove();
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
