// The side panel: what the bot has understood, the patient, tickets, notes. Masked before it comes here.

import { get, post } from "./api.js";
import { unmask } from "./acts.js";
import { byId, el, empty, facts, fill, press, tag, toast } from "./dom.js";
import { attempt, may } from "./session.js";
import { tabs } from "./tables.js";
import { showTicket, ticketRow } from "./ticket.js";
import { enterTicket } from "./ticket_form.js";
import { dayText, momentText, timeText } from "./times.js";

let chat = null;
let panel = null;
let tab = "facts";
let ticket = null; // the ticket that is open beside the talk
let wanted = 0;
let noting = ""; // a note that is not saved yet

const turn = tabs(byId("panel-tabs"), (key) => {
  tab = key;
  byId("panel-body").setAttribute("aria-labelledby", `tab-${key}`);
  ticket = null;
  draw();
});

export function showPanel(open, found) {
  if (open?.id !== chat?.id) {
    ticket = null;
    noting = "";
  }
  chat = open;
  panel = found;
  byId("panel-tickets-count").textContent = panel?.tickets.length || "";
  byId("panel-notes-count").textContent = panel?.notes.length || "";
  // What somebody is filling in stays; it is drawn anew when he is done.
  const busy = byId("panel-body").contains(document.activeElement) && document.activeElement.matches("input, textarea, select");
  if (!busy && !ticket) draw();
}

/** Ask again for what may have changed. */
export async function refresh() {
  wanted += 1;
  const wish = wanted;
  const open = chat;
  if (!open) return;
  const found = await get(`chats/${open.id}/panel`).catch(() => null);
  if (found && wish === wanted && chat?.id === open.id) showPanel(chat, found);
}

draw();

export const summary = () => panel?.summary ?? "";
export const openTab = (key) => turn(key);

function draw() {
  const body = byId("panel-body");
  if (!panel) return fill(body, empty("打开会话后，这里显示办理进度、患者和工单。"));
  if (tab === "tickets") return ticketsTab(body);
  return fill(body, tab === "notes" ? notesTab() : factsTab());
}

const part = (title, ...children) => el("section", {}, el("h3", {}, title), ...children);
const percent = (value) => (typeof value === "number" ? `${Math.round(value * 100)}%` : "");
const known = (rows) => (rows.length ? facts(rows.map((row) => [row.name, row.value])) : empty("还没有收集到信息。"));

function factsTab() {
  return [
    panel.flags.length > 0 && el("p", { class: "flags" }, panel.flags.map((flag) => tag(flag, "high"))),
    panel.summary && part("上次小结", el("p", { class: "told" }, panel.summary)),
    patients(),
    panel.task
      ? part(`正在办理：${panel.task.name}`, known(panel.task.facts), panel.task.asked && el("p", { class: "asked" }, `已问到：${panel.task.asked}`))
      : part("正在办理", panel.recent.length ? known(panel.recent) : empty("没有进行中的事项。")),
    panel.intent && part("最近一次理解", el("p", {}, panel.intent, panel.confidence !== null && sureness(panel.confidence))),
    (panel.suspended.length > 0 || panel.later) &&
      part("暂停的事项",
        panel.suspended.map((task) => [el("p", { class: "sub" }, task.name), task.facts.length ? known(task.facts) : null]),
        panel.later && el("p", {}, `另一个问题：${panel.later}`)),
    tagsPart(),
    panel.rating && part("满意度", el("p", {}, `${panel.rating}分`)),
    panel.alerts.length > 0 && part("警示记录", el("ul", { class: "rows" }, panel.alerts.map(alert))),
  ];
}

const sureness = (value) => el("span", { class: "sureness" }, el("meter", { min: 0, max: 1, low: 0.5, high: 0.8, optimum: 1, value, "aria-label": "把握" }), percent(value));

function patients() {
  const person = (patient) =>
    el("li", {},
      el("p", {}, el("b", {}, patient.name), el("span", { class: "dim" }, patient.relation)),
      el("p", {}, [patient.sex, patient.age, patient.insurance].filter(Boolean).join("，")),
      patient.id !== undefined && may("unmask") && press("查看完整信息", () => attempt(() => unmask(`chats/${chat.id}/unmask`, { patient: patient.id })), "small plainly"));
  return part("患者", panel.patients.length ? el("ul", { class: "rows" }, panel.patients.map(person)) : empty("尚未核实身份，请先不要谈及个人信息。"));
}

function tagsPart() {
  const given = panel.tags;
  const save = async (tags) => {
    const found = await attempt(() => post(`chats/${chat.id}/tags`, { tags }));
    if (!found) return;
    panel.tags = found.tags;
    draw();
    byId("panel-body").querySelector(".tag-form input")?.focus();
  };
  const form = el("form", { class: "tag-form" },
    el("input", { name: "tag", maxlength: 20, placeholder: "加标签，如：需回电", "aria-label": "新标签", autocomplete: "off" }),
    el("button", { type: "submit", class: "small plainly" }, "添加"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const fresh = form.elements.tag.value.trim();
    if (fresh) save([...new Set([...given, fresh])]);
  });
  const chips = given.map((each) =>
    el("li", { class: "chip" }, each, chat.mine && press("×", () => save(given.filter((other) => other !== each)), "quiet", { "aria-label": `去掉标签${each}` })));
  return part("标签", chips.length ? el("ul", { class: "chips" }, chips) : !chat.mine && empty("没有标签。"), chat.mine && form);
}

function alert(item) {
  return el("li", {},
    el("p", {}, el("b", {}, item.name), tag(item.definite ? "明确" : "存疑", item.definite ? "danger" : "high")),
    el("p", { class: "dim" }, `${dayText(item.at)} ${timeText(item.at)}，第${item.seq}条；`, item.seen_by ? `${item.seen_by}已查看` : "尚未查看"));
}

// ---- tickets beside the talk

function ticketsTab(body) {
  const back = () => {
    ticket = null;
    draw();
    refresh();
  };
  if (ticket) {
    const root = el("div", { class: "ticket-beside" });
    fill(body, press("← 返回工单列表", back, "quiet"), root);
    return attempt(() => showTicket(root, ticket, { beside: true }));
  }
  const create = async () => {
    const made = await enterTicket({ chat: chat.id });
    if (!made) return;
    ticket = made.id;
    draw();
  };
  const look = (id) => {
    ticket = id;
    draw();
  };
  return fill(body,
    may("enter_tickets") && el("p", { class: "acts" }, press("新建工单", create, "plainly", { "aria-keyshortcuts": "Alt+W", id: "new-ticket" })),
    panel.tickets.length ? el("ul", { class: "rows" }, panel.tickets.map((item) => ticketRow(item, look))) : empty("这次会话还没有工单。"));
}

// ---- private notes

function notesTab() {
  const form = el("form", { class: "note-form" },
    el("label", { for: "note-text" }, "写备注（患者看不到）"),
    el("textarea", { id: "note-text", rows: 3, maxlength: 2000, required: true, oninput: (event) => (noting = event.target.value), value: noting }),
    el("button", { type: "submit", class: "plainly" }, "保存备注"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = noting.trim();
    const found = text && (await attempt(() => post(`chats/${chat.id}/notes`, { text })));
    if (!found) return;
    noting = "";
    panel.notes = found.notes;
    byId("panel-notes-count").textContent = found.notes.length;
    draw();
    toast("备注已保存。");
    byId("note-text")?.focus();
  });
  const row = (each) =>
    el("li", { class: "note" }, el("p", { class: "dim" }, each.by, " ", el("time", { datetime: each.at }, momentText(each.at))), el("p", { class: "told" }, each.text));
  const notes = panel.notes;
  return [may("serve") && form, notes.length ? el("ul", { class: "rows" }, notes.map(row)) : empty("还没有备注。")];
}
