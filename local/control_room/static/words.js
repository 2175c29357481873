// How times, sizes and names are written.

/** Seconds as a clock that one can watch running: 23:59:07, or 4 d 02:00:00. */
export function clock(seconds) {
  const whole = Math.floor(Math.abs(seconds));
  const days = Math.floor(whole / 86400);
  const parts = [Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60, whole % 60];
  const text = parts.map((part) => String(part).padStart(2, "0")).join(":");
  return days ? `${days} d ${text}` : text;
}

/** Seconds in words, for the ear: 2 hours 5 minutes. */
export function spoken(seconds) {
  const whole = Math.floor(Math.abs(seconds));
  const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const told = [];
  let rest = whole;
  for (const [name, length] of units) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count && told.length < 2) told.push(counted(count, name));
  }
  return told.join(" ") || "0 seconds";
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

/** The name of a dataset, with its period if it has one. */
export function named(item) {
  return item.from ? `${item.dataset} ${item.from} to ${item.to}` : item.dataset;
}
