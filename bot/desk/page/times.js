// Clocks: the server's time counts, shown in the hospital's zone.

import { el } from "./dom.js";

let offset = 0; // server's clock minus ours

export function setClock(serverNow) {
  offset = Date.parse(serverNow) - Date.now();
}

export const clock = () => Date.now() + offset;

const HOSPITAL = { timeZone: "Asia/Shanghai", hour12: false };
const HOURS = new Intl.DateTimeFormat("zh-CN", { ...HOSPITAL, hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("zh-CN", { ...HOSPITAL, month: "long", day: "numeric", weekday: "short" });
const FULL = new Intl.DateTimeFormat("zh-CN", { ...HOSPITAL, month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" });
const DATE = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai" });

export const timeText = (iso) => HOURS.format(new Date(iso));
export const dayText = (iso) => DAY.format(new Date(iso));
export const momentText = (iso) => (iso ? FULL.format(new Date(iso)).replace("/", "-") : "");

/** Give 2026-11-23 in the hospital's zone, `days` after today. */
export const dateOf = (days = 0) => DATE.format(new Date(clock() + days * 86_400_000));

/** Give the month before or after 2026-11. */
export function monthAfter(month, steps) {
  const [year, number] = month.split("-").map(Number);
  const found = new Date(Date.UTC(year, number - 1 + steps, 1));
  return found.toISOString().slice(0, 7);
}

/** Give 45秒, 3分12秒, 2小时5分 for a length of time in seconds. */
export function lengthText(seconds) {
  if (seconds === null || seconds === undefined) return "—";
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole}秒`;
  if (whole < 3600) return `${Math.floor(whole / 60)}分${String(whole % 60).padStart(2, "0")}秒`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)}小时${Math.floor((whole % 3600) / 60)}分`;
  return `${Math.floor(whole / 86_400)}天`;
}

const secondsSince = (iso) => (clock() - Date.parse(iso)) / 1000;

/** An element that shows how long ago a moment was; `tick` keeps it right. */
export function ageOf(iso, prefix = "", limits = [120, 300]) {
  const made = el("time", { class: "age", datetime: iso, "data-prefix": prefix, "data-limits": limits.join(" ") });
  tickOne(made);
  return made;
}

function tickOne(age) {
  const seconds = secondsSince(age.dateTime);
  const text = age.dataset.prefix + lengthText(seconds);
  if (age.textContent !== text) age.textContent = text;
  const [warn, late] = age.dataset.limits.split(" ").map(Number);
  age.classList.toggle("warn", seconds >= warn && seconds < late);
  age.classList.toggle("late", seconds >= late);
}

export const tick = () => document.querySelectorAll("time.age").forEach(tickOne);
