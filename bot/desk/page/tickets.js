// The page of tickets: lists by what waits, filters, and the chosen ticket beside them.

import { get, withQuery } from "./api.js";
import { el, empty, fill, press, tag } from "./dom.js";
import { attempt, may, me } from "./session.js";
import { tabBar, tabs } from "./tables.js";
import { leftText, showTicket } from "./ticket.js";
import { enterTicket } from "./ticket_form.js";
import { pairs, ticketWords } from "./ticket_words.js";

const VIEWS = [["mine", "我负责的"], ["unassigned", "待分派"], ["open", "在办"], ["overdue", "已超期"], ["closed", "已办结"], ["all", "全部"]];
const TITLES = { quality: "质控工单", director: "院办工单", liaison: "本科室相关工单" };

let asked = { view: "open", q: "", kind: "", type: "", page: 0 };
let chosen = null;
let list = null;
let detail = null;
let wish = 0;

export async function show(root, { ticket }) {
  await ticketWords();
  chosen = null;
  list = el("div", { id: "ticket-list", class: "ticket-list", role: "tabpanel", "aria-label": "工单列表" });
  detail = el("section", { class: "ticket-detail", "aria-label": "工单内容" });
  const bar = tabBar("工单分组", VIEWS, "ticket-list");
  const select = (name, label, options) =>
    el("label", {}, el("span", { class: "unseen" }, label), el("select", { name, onchange: again }, options.map(([key, text]) => el("option", { value: key }, text))));
  const filters = el("form", { class: "filters", role: "search" },
    el("input", { type: "search", name: "q", maxlength: 50, placeholder: "编号或内容", "aria-label": "搜索工单" }),
    select("kind", "事项", pairs("all_kinds", "全部事项")), select("type", "类型", pairs("types", "全部类型")),
    el("button", { type: "submit", class: "plainly" }, "查找"));
  filters.addEventListener("submit", (event) => {
    event.preventDefault();
    again();
  });

  function again() {
    const { q, kind, type } = filters.elements;
    asked = { ...asked, q: q.value.trim(), kind: kind.value, type: type.value, page: 0 };
    load();
  }

  fill(root,
    el("div", { class: "place-head" }, el("h2", {}, TITLES[me.role] ?? "工单"), may("enter_tickets") && press("新建工单", create, "primary")),
    el("div", { class: "split" }, el("div", { class: "split-list" }, bar, filters, list), detail));
  fill(detail, empty("从列表选择一张工单。"));
  asked = { view: me.role === "agent" ? "mine" : "open", q: "", kind: "", type: "", page: 0 };
  const turn = tabs(bar, (view) => {
    asked = { ...asked, view, page: 0 };
    load();
  });
  turn(asked.view);
  if (ticket) await look(Number(ticket));
}

export function left() {
  delete document.body.dataset.ticket;
  list = null;
  detail = null;
}

async function create() {
  const made = await enterTicket();
  if (!made) return;
  await load();
  await look(made.id);
}

async function load() {
  wish += 1;
  const mine = wish;
  const found = await attempt(() => get(withQuery("tickets", { ...asked, page: asked.page || "" })));
  if (!found || mine !== wish || !list) return;
  const more = found.more && press("更多", () => { asked.page += 1; load(); }, "quiet");
  const back = asked.page > 0 && press("返回前面", () => { asked.page -= 1; load(); }, "quiet");
  fill(list, found.tickets.length ? el("ul", { class: "items" }, found.tickets.map(row)) : empty("这里没有工单。"), (more || back) && el("p", { class: "centre" }, back, more));
}

function row(ticket) {
  const button = el("button", { type: "button", class: `item ticket-row${ticket.id === chosen ? " opened" : ""}`, "data-ticket": ticket.id,
    "aria-current": ticket.id === chosen ? "true" : null, onclick: () => look(ticket.id, true) },
    el("span", { class: "line" },
      el("b", {}, [ticket.kind_name, ticket.type_name].filter(Boolean).join("·")),
      tag(ticket.state_name, "push"),
    ),
    el("span", { class: "line" },
      el("span", { class: "number" }, ticket.number),
      ticket.overdue && tag("已超期", "danger"), ticket.urgency === "high" && !ticket.overdue && tag("紧急", "high"),
      el("span", { class: `push ${ticket.overdue ? "late" : "dim"}` }, leftText(ticket))),
    el("span", { class: "preview" }, ticket.event));
  return el("li", {}, button);
}

async function look(id, byHand = false) {
  chosen = id;
  for (const each of list.querySelectorAll("[data-ticket]")) {
    const its = Number(each.dataset.ticket) === id;
    each.classList.toggle("opened", its);
    if (its) each.setAttribute("aria-current", "true");
    else each.removeAttribute("aria-current");
  }
  document.body.dataset.ticket = "open";
  const root = el("div", {});
  fill(detail, press("返回列表", () => delete document.body.dataset.ticket, "quiet back"), root);
  await attempt(() => showTicket(root, id, { changed: load }));
  if (byHand) root.querySelector("h2")?.focus();
}
