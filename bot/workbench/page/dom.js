// Small helpers for the page. Text is data: it only ever goes in through textContent.

export const byId = (id) => document.getElementById(id);

/** Make an element: el("button", {type: "button", class: "primary", onclick}, "保存"). */
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

/** Put `children` in place of what `root` holds; nothing when its place has been left meanwhile. */
export const fill = (root, ...children) => root?.replaceChildren(...flat(children));

/** A button: press("保存", save, "primary"). */
export const press = (text, onclick, look = "plainly", given = {}) =>
  el("button", { type: "button", class: look, onclick, ...given }, text);

export const tag = (text, look = "") => el("span", { class: `tag ${look}` }, text);
export const key = (name) => el("kbd", { "aria-hidden": "true" }, name);
export const empty = (text) => el("p", { class: "empty" }, text);

/** A field with its label above. */
export function field(label, control, look = "") {
  if (!control.id) control.id = `field-${++count}`;
  return el("div", { class: `field ${look}` }, el("label", { for: control.id }, label), control);
}

/** A choice: pick([["open", "待处理"]], "open", onchange). */
export const pick = (rows, value, onchange, given = {}) =>
  el("select", { ...given, onchange }, rows.map(([key, text]) => el("option", { value: key, selected: key === value }, text)));

let count = 0;
let fading = 0;

/** Say something in passing; screen readers hear it, too. */
export function toast(text) {
  const box = byId("toast");
  box.textContent = text;
  box.hidden = !text;
  clearTimeout(fading);
  fading = setTimeout(() => (box.hidden = true), 6000);
}

/** Open the dialog with a title, its content and its buttons. */
export function dialog(title, ...children) {
  const box = byId("dialog");
  fill(box, el("h2", { id: "dialog-title" }, title), children);
  if (!box.open) box.showModal();
  return box;
}

export const closeDialog = () => byId("dialog").close();

const CLOCK = new Intl.DateTimeFormat("zh-CN", { timeZone: "Asia/Shanghai", month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false });

/** 11月22日 09:30 for a moment in ISO 8601. */
export function when(moment) {
  const date = new Date(moment);
  if (!moment || Number.isNaN(date.getTime())) return "";
  const part = Object.fromEntries(CLOCK.formatToParts(date).map((each) => [each.type, each.value]));
  return `${part.month}月${part.day}日 ${part.hour}:${part.minute}`;
}

export const percent = (share) => (share === null || share === undefined ? "—" : `${(share * 100).toFixed(1)}%`);

/** Call after a pause in typing. */
export function later(deed, pause = 250) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => deed(...given), pause);
  };
}

/** Wait until an input method has finished: Enter that ends a word of pinyin is not for us. */
export const composing = (event) => event.isComposing || event.keyCode === 229;
