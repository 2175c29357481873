// How times, sizes and names are written.

let ahead = 0;

/** Go by the stack's clock, which says `iso` now. */
export function setClock(iso) {
  ahead = Date.parse(iso) - Date.now();
}

/** Seconds from now, by the stack's clock, until an ISO 8601 time; less than 0 when it is over. */
export function secondsUntil(iso) {
  return (Date.parse(iso) - Date.now() - ahead) / 1000;
}

/** A span that one can watch running: 1:32 below an hour, then 6 h 59 min, then 2 d 3 h. */
export function span(seconds) {
  const whole = Math.floor(Math.abs(seconds));
  const [days, hours, minutes] = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60];
  if (days) return `${days} d ${hours} h`;
  if (hours) return `${hours} h ${minutes} min`;
  return `${minutes}:${String(whole % 60).padStart(2, "0")}`;
}

/** A number with its noun: 1 letter, 2 letters; an irregular plural is given. */
export function counted(number, noun, plural = `${noun}s`) {
  return `${number} ${number === 1 ? noun : plural}`;
}

/** How long something took. */
export function taken(seconds) {
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`;
}

/** A number of bytes. */
export function size(bytes) {
  return bytes < 1024 ? `${bytes} bytes` : `${(bytes / 1024).toFixed(1)} KB`;
}

/** The time of day of an ISO 8601 time, as here. */
export function timeOfDay(iso) {
  return new Date(iso).toLocaleTimeString([], { hour12: false });
}

/** The same with milliseconds. */
export function momentOf(iso) {
  return `${timeOfDay(iso)}.${String(new Date(iso).getMilliseconds()).padStart(3, "0")}`;
}

/** The name of a dataset, with its period if it has one. */
export function named(item) {
  return item.from ? `${item.dataset} ${item.from} to ${item.to}` : item.dataset;
}

/** What a message asks for; null where its body names nothing. */
export function askedBy(body) {
  try {
    const { dataset, from, to } = JSON.parse(body);
    return typeof dataset === "string" ? { dataset, ...(from && to ? { from, to } : {}) } : null;
  } catch {
    return null;
  }
}
