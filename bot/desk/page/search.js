// Search over what was said, tags and tickets; a hit opens the conversation at its line.

import { get, withQuery } from "./api.js";
import { byId, el, empty, fill, press } from "./dom.js";
import { attempt } from "./session.js";
import { momentText } from "./times.js";

let openLine = () => {};
let openTicket = () => {};

export function begin(wanted) {
  ({ openLine, openTicket } = wanted);
}

export function close() {
  byId("search-found").hidden = true;
  byId("list-box").hidden = false;
}

const marked = (text, words) => {
  const place = text.indexOf(words);
  const from = Math.max(0, place - 14);
  if (place < 0) return text.slice(0, 60);
  return [from ? "…" : "", text.slice(from, place), el("mark", {}, words), text.slice(place + words.length, place + 50)];
};

async function search() {
  const words = byId("search-words").value.trim();
  if (!words) return close();
  const found = await attempt(() => get(withQuery("search", { q: words })));
  if (!found) return undefined;
  const tickets = found.tickets ?? [];
  const line = (hit) =>
    el("li", {}, el("button", { type: "button", class: "item", onclick: () => openLine(hit.chat, hit.seq) },
      el("span", { class: "line" }, el("b", {}, hit.visitor), el("span", { class: "dim" }, hit.who), el("time", { class: "dim push", datetime: hit.at }, momentText(hit.at))),
      el("span", { class: "hit" }, marked(hit.text, words))));
  fill(byId("search-found"),
    el("div", { class: "found-head" }, el("h2", { tabindex: -1 }, `找到 ${found.found.length + tickets.length} 条`), press("关闭搜索", shut, "quiet")),
    tickets.length > 0 && el("ul", { class: "items" }, tickets.map((hit) =>
      el("li", {}, el("button", { type: "button", class: "item", onclick: () => openTicket(hit.id) }, el("span", { class: "line" }, el("b", {}, "工单"), hit.number))))),
    found.found.length ? el("ul", { class: "items" }, found.found.map(line)) : !tickets.length && empty("没有找到。可以换一个更短的词再试。"));
  byId("search-found").hidden = false;
  byId("list-box").hidden = true;
  byId("search-found").querySelector("h2").focus();
  return undefined;
}

function shut() {
  byId("search-words").value = "";
  close();
  byId("search-words").focus();
}

byId("search").addEventListener("submit", (event) => {
  event.preventDefault();
  search();
});
byId("search-words").addEventListener("input", (event) => event.target.value || close());
byId("search-words").addEventListener("keydown", (event) => event.key === "Escape" && shut());
