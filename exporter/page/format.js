// Numbers and times for people.

const numbers = new Intl.NumberFormat("en");

function count(number, one, many = `${one}s`) {
  if (one === undefined) return numbers.format(number);
  return `${numbers.format(number)} ${number === 1 ? one : many}`;
}

function bytes(amount) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let value = amount;
  let unit = 0;
  for (; Math.abs(value) >= 1024 && unit + 1 < units.length; ++unit) value /= 1024;
  return `${unit === 0 ? value : value.toFixed(value < 100 ? 1 : 0)} ${units[unit]}`;
}

// In the two largest units: "45 s", "3 m 20 s", "2 h 05 m", "3 d 4 h".
function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const two = (number) => String(number).padStart(2, "0");
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)} s`;
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${two(whole % 60)} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${two(Math.floor(whole % 3600 / 60))} m`;
  return `${Math.floor(whole / 86400)} d ${Math.floor(whole % 86400 / 3600)} h`;
}

// In the largest unit only: "45 s", "3 min", "2 h", "3 d".
function roughly(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  if (whole < 172800) return `${Math.floor(whole / 3600)} h`;
  return `${Math.floor(whole / 86400)} d`;
}

// What turns text around or cannot be seen, as the command line takes it: a key must not look like another.
function visible(text) {
  const hex = (character) => [...new TextEncoder().encode(character)].map((byte) => `\\x${byte.toString(16)}`).join("");
  return text.replace(/[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/g, hex);
}

// Seconds from `text` (RFC 3339) to `now` (milliseconds).
function secondsSince(text, now) { return (now - Date.parse(text)) / 1000; }

function ago(text, now) {
  const seconds = secondsSince(text, now);
  return seconds < 0 ? `in ${roughly(-seconds)}` : `${roughly(seconds)} ago`;
}

// "3 tries, the next in 20 s" of what is tried again; null before the first.
function tries(one, now) {
  if (one.tries === 0) return null;
  const next = one.next_try_at === null ? 0 : -secondsSince(one.next_try_at, now);
  return `${count(one.tries, "try", "tries")}, the next ${next > 0 ? `in ${roughly(next)}` : "now"}`;
}

function fullTime(text) { return `${text.slice(0, 19).replace("T", " ")} UTC`; }

function clockTime(milliseconds) { return `${new Date(milliseconds).toISOString().slice(11, 19)} UTC`; }

// Down, so that nothing is at 100 % before it is there.
function percent(part, whole) {
  if (whole <= 0) return 0;
  return Math.min(100, Math.floor(1000 * part / whole) / 10);
}
