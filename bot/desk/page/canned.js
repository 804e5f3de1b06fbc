// Canned replies: "/" finds them by shortcut, title or words; their variables are filled for the open conversation.

import { get } from "./api.js";
import { el } from "./dom.js";

const SHOWN = 8;

let replies = [];
let box = null;
let list = null;
let found = [];
let chosen = 0;

export function begin(draft, listbox) {
  box = draft;
  list = listbox;
}

export async function load(chat) {
  const given = await get(`canned?chat=${chat}`).catch(() => null);
  if (given) replies = given.canned;
  if (!list.hidden) look(box.value); // "/" was typed before they came
}

const plain = (text) => text.toLowerCase().replace(/\s+/g, "");

/** Offer what fits when the draft is "/" and a few letters. */
export function look(text) {
  const words = /^\/(\S{0,20})$/u.exec(text.trim());
  if (!words) return hide();
  const wanted = plain(words[1]);
  const rank = (each) =>
    plain(each.shortcut).startsWith(wanted) ? 0 : plain(each.title).includes(wanted) ? 1 : plain(each.text).includes(wanted) ? 2 : 3;
  found = replies.map((each) => [rank(each), each]).filter(([place]) => place < 3).sort(([one], [other]) => one - other)
    .map(([, each]) => each).slice(0, wanted ? SHOWN : 50);
  return show();
}

/** Offer all of them. */
export function all() {
  found = replies;
  show();
}

export function hide() {
  list.hidden = true;
  found = [];
  box.removeAttribute("aria-activedescendant");
}

function show() {
  chosen = 0;
  list.hidden = false;
  list.replaceChildren(
    ...(found.length
      ? found.map((each, index) =>
          el("li", { role: "option", id: `canned-${index}`, onmousedown: (event) => { event.preventDefault(); use(index); } },
            el("span", { class: "shortcut" }, `/${each.shortcut}`), el("b", {}, each.title), el("span", { class: "words" }, each.filled)))
      : [el("li", { role: "option", "aria-disabled": "true", class: "empty" }, "没有找到常用语")]),
  );
  mark();
}

function mark() {
  [...list.children].forEach((row, index) => row.setAttribute("aria-selected", String(index === chosen && found.length > 0)));
  if (!found.length) return;
  box.setAttribute("aria-activedescendant", `canned-${chosen}`);
  list.children[chosen].scrollIntoView({ block: "nearest" });
}

function use(index) {
  const text = found[index].filled;
  hide();
  box.value = text;
  const hole = /\{[^{}]{1,10}\}/u.exec(text); // a variable that is not known yet: the person fills it in
  box.setSelectionRange(hole ? hole.index : text.length, hole ? hole.index + hole[0].length : text.length);
  box.dispatchEvent(new Event("input"));
}

/** Handle a key while the list is open; true when it was for the list. */
export function key(event) {
  if (list.hidden) return false;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && found.length) chosen = (chosen + step + found.length) % found.length;
  else if (event.key === "Escape") hide();
  else if ((event.key === "Enter" || event.key === "Tab") && found.length) {
    event.preventDefault();
    use(chosen);
    return true;
  } else return false;
  event.preventDefault();
  if (!list.hidden) mark();
  return true;
}
