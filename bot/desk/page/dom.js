// Small helpers for the page. Text is data: it only ever goes in through textContent.

export const byId = (id) => document.getElementById(id);

/** Make an element: el("button", {type: "button", class: "primary", onclick}, "发送"). */
export function el(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "class") made.className = value;
    else if (name === "value") made.value = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...flat(children));
  return made;
}

const flat = (children) => children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);

/** Put `children` in place of what `root` holds. */
export const fill = (root, ...children) => root.replaceChildren(...flat(children));

/** A button: press("接入", () => take(id), "primary"). */
export const press = (text, onclick, look = "plainly", given = {}) =>
  el("button", { type: "button", class: look, onclick, ...given }, text);

export const tag = (text, look = "") => el("span", { class: `tag ${look}` }, text);
export const empty = (text) => el("p", { class: "empty" }, text);

/** Names and values below each other; what is empty is left out. */
export function facts(rows) {
  const known = rows.filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== false);
  return el("dl", { class: "facts" }, known.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
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

let fading = 0;

/** Say something in passing; screen readers hear it, too. */
export function toast(text) {
  const box = byId("toast");
  box.textContent = text;
  box.hidden = !text;
  clearTimeout(fading);
  fading = setTimeout(() => (box.hidden = true), 6000);
}

/** A name for a message that nobody else uses. crypto.randomUUID is missing without HTTPS. */
export const newId = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** What the browser keeps for this person; a private window forgets it with the page. */
export const kept = {
  get(key) {
    try {
      return localStorage.getItem(`daoyi-desk-${key}`);
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(`daoyi-desk-${key}`, value);
    } catch {
      // the choice lasts as long as the page
    }
  },
};
