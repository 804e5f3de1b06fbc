// Tables and tabs that a keyboard and a screen reader can use.

import { el, empty } from "./dom.js";

/** A table: `columns` are [title, give(row), {number}]; without rows the words of `none` stand there. */
export function table(caption, columns, rows, none = "还没有数据。", { quiet = false } = {}) {
  if (!rows.length) return empty(none);
  const head = columns.map(([title, , how = {}]) => el("th", { scope: "col", class: how.number ? "number" : null }, title));
  const body = rows.map((row) =>
    el("tr", { class: row.look ?? null },
      columns.map(([title, give, how = {}], index) =>
        el(index ? "td" : "th", { scope: index ? null : "row", class: how.number ? "number" : null, "data-title": title }, give(row) ?? "—"))));
  const look = columns.length > 3 ? "table broad" : "table";
  return el("div", { class: look, tabindex: 0, role: "region", "aria-label": caption },
    el("table", {}, el("caption", { class: quiet ? "unseen" : null }, caption), el("thead", {}, el("tr", {}, head)), el("tbody", {}, body)));
}

/** Make the buttons in `bar` work as tabs: arrows move, `chosen(key)` hears. Buttons carry data-tab. */
export function tabs(bar, chosen) {
  const all = () => [...bar.querySelectorAll("[role=tab]")].filter((tab) => !tab.hidden);
  const select = (tab, focus = false) => {
    for (const each of bar.querySelectorAll("[role=tab]")) {
      each.setAttribute("aria-selected", String(each === tab));
      each.tabIndex = each === tab ? 0 : -1;
    }
    if (focus) tab.focus();
    chosen(tab.dataset.tab);
  };
  bar.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) select(tab);
  });
  bar.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const list = all();
    select(list[(list.indexOf(document.activeElement) + step + list.length) % list.length], true);
  });
  return (key) => select(all().find((tab) => tab.dataset.tab === key) ?? all()[0]);
}

/** Make a row of tabs from [[key, name]]. The region that they change has the id `controls`. */
export const tabBar = (label, names, controls) =>
  el("div", { class: "tabs", role: "tablist", "aria-label": label },
    names.map(([key, name], index) =>
      el("button", { type: "button", role: "tab", id: `${controls}-${key}`, "data-tab": key, "aria-controls": controls,
        "aria-selected": String(!index), tabindex: index ? -1 : 0 }, name)));
