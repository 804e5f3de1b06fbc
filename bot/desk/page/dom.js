// Small helpers for the page. Text is data: it only ever goes in through textContent.

export const byId = (id) => document.getElementById(id);

/** Make an element: el("button", {type: "button", class: "primary", onclick}, "发送"). */
export function el(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "class") made.className = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** Bring a list to `items` and keep the rows that stay, so that focus and reading place are not lost. */
export function sync(list, items, key, make, update) {
  const old = new Map([...list.children].map((row) => [row.dataset.key, row]));
  let place = list.firstElementChild;
  for (const item of items) {
    let row = old.get(String(key(item)));
    if (row) old.delete(row.dataset.key);
    else {
      row = make(item);
      row.dataset.key = String(key(item));
    }
    update(row, item);
    if (row === place) place = place.nextElementSibling;
    else list.insertBefore(row, place);
  }
  for (const row of old.values()) row.remove();
}

let offset = 0; // server's clock minus ours: places and waiting times are the server's

export function setClock(serverNow) {
  offset = Date.parse(serverNow) - Date.now();
}

export const clock = () => Date.now() + offset;

const HOSPITAL = { timeZone: "Asia/Shanghai", hour12: false };
const HOURS = new Intl.DateTimeFormat("zh-CN", { ...HOSPITAL, hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("zh-CN", { ...HOSPITAL, month: "long", day: "numeric", weekday: "short" });

export const timeText = (iso) => HOURS.format(new Date(iso));
export const dayText = (iso) => DAY.format(new Date(iso));

/** Give 45秒, 3分12秒, 2小时5分 since a moment. */
export function sinceText(iso) {
  const seconds = Math.max(0, Math.floor((clock() - Date.parse(iso)) / 1000));
  if (seconds < 60) return `${seconds}秒`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}分${String(seconds % 60).padStart(2, "0")}秒`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}小时${Math.floor((seconds % 3600) / 60)}分`;
  return `${Math.floor(seconds / 86400)}天`;
}

/** An element that shows how long ago a moment was; `tick` keeps it right. */
export function ageOf(iso, prefix = "", limits = [120, 300]) {
  const made = el("time", { class: "age", datetime: iso, "data-prefix": prefix, "data-limits": limits.join(" ") });
  tickOne(made);
  return made;
}

function tickOne(age) {
  const text = age.dataset.prefix + sinceText(age.dateTime);
  if (age.textContent !== text) age.textContent = text;
  const [warn, late] = age.dataset.limits.split(" ").map(Number);
  const seconds = (clock() - Date.parse(age.dateTime)) / 1000;
  age.classList.toggle("warn", seconds >= warn && seconds < late);
  age.classList.toggle("late", seconds >= late);
}

export const tick = () => document.querySelectorAll("time.age").forEach(tickOne);

let fading = 0;

/** Say something in passing; screen readers hear it, too. */
export function toast(text) {
  const box = byId("toast");
  box.textContent = text;
  box.hidden = false;
  clearTimeout(fading);
  fading = setTimeout(() => (box.hidden = true), 5000);
}

/** A name for a message that nobody else uses. crypto.randomUUID is missing without HTTPS. */
export const newId = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
