// One ticket: its deadline, what was told, who works on it, its history. The same beside a talk and on its own page.

import { BASE, get, postFile, withQuery } from "./api.js";
import { unmask } from "./acts.js";
import { el, empty, facts, fill, press, tag, toast } from "./dom.js";
import { ask } from "./forms.js";
import { paper } from "./picture.js";
import { go } from "./places.js";
import { attempt, may } from "./session.js";
import { askDepartment, changeFacts, link, note, step, tell } from "./ticket_steps.js";
import { nameOf, stepName, ticketWords } from "./ticket_words.js";
import { clock, lengthText, momentText } from "./times.js";

const DONE = ["answered", "feedback", "closed", "withdrawn"];

/** A row for the list beside a talk: kind, number, state, deadline; a draft is the patient's own still. */
export function ticketRow(item, look) {
  const words = [
    el("span", { class: "line" },
      el("b", {}, item.type ? `${item.kind}·${item.type}` : item.kind),
      item.draft && tag("草稿"), item.overdue && tag("已超期", "danger"), item.urgent && !item.overdue && tag("加急", "high")),
    item.number && el("span", { class: "number" }, item.number),
    el("span", { class: "dim" }, item.state),
    el("span", { class: "dim" }, [item.route && `承办：${item.route}`, item.due && `期限：${item.due}`].filter(Boolean).join("；")),
  ];
  if (item.draft) return el("li", { class: "ticket-row" }, words);
  return el("li", {}, el("button", { type: "button", class: "ticket-row item", onclick: () => look(item.id) }, words));
}

/** Say how much time is left until the deadline; nothing once the answer has been given. */
export function leftText(ticket) {
  if (!ticket.due || DONE.includes(ticket.state)) return "";
  const seconds = (Date.parse(ticket.due) - clock()) / 1000;
  if (seconds < 0) return `已超期 ${lengthText(-seconds)}`;
  return ticket.days_left > 0 ? `还剩${ticket.days_left}个工作日` : `今天到期，还剩 ${lengthText(seconds)}`;
}

function deadline(ticket) {
  if (!ticket.due) return null;
  const left = leftText(ticket);
  const began = Date.parse(ticket.received);
  const share = Math.min(1, Math.max(0, (clock() - began) / (Date.parse(ticket.due) - began)));
  const look = left.startsWith("已超期") ? "late" : ticket.warned ? "warn" : "";
  const basis = [ticket.working_days && `自受理起${ticket.working_days}个工作日`, ticket.due_provisional && "节假日安排公布后可能调整"].filter(Boolean);
  return el("div", { class: `deadline ${look}` },
    el("p", {}, el("b", {}, `期限 ${ticket.due_text}`), left && el("span", {}, left)),
    left && el("progress", { max: 1, value: share, "aria-label": "已用时间" }),
    el("p", { class: "dim" }, basis.join("；")));
}

/** Show a ticket in `root` and keep it right after each step. `changed` hears of every change. */
export async function showTicket(root, id, { beside = false, changed = () => {} } = {}) {
  await ticketWords();
  const found = await get(`tickets/${id}`);
  draw(found.ticket);

  function took(answer) {
    if (!answer?.ticket) return;
    draw(answer.ticket);
    changed(answer.ticket);
  }

  function draw(ticket) {
    fill(root, head(ticket), deadline(ticket), steps(ticket), acts(ticket), registered(ticket), people(ticket), outcome(ticket), tasks(ticket), papers(ticket), links(ticket), history(ticket));
  }

  function head(ticket) {
    const done = DONE.includes(ticket.state);
    const marks = [
      tag(ticket.state_name, done ? "good" : "info"),
      ticket.overdue && !done && tag("已超期", "danger"),
      ticket.urgency === "high" && tag("紧急", "high"),
      ticket.severity !== "normal" && tag(nameOf("severities", ticket.severity), "high"),
      ticket.dispute && tag("纠纷苗头", "high"),
      ticket.anonymous && tag("匿名"),
    ];
    const kind = [ticket.kind_name, ticket.type_name, ticket.subtype_name].filter(Boolean).join("·");
    return el("header", { class: "ticket-head" },
      el(beside ? "h3" : "h2", { tabindex: -1 }, kind), el("p", { class: "number" }, ticket.number), el("p", { class: "flags" }, marks));
  }

  function steps(ticket) {
    const buttons = (ticket.steps ?? []).map((name, index) =>
      press(stepName(name), () => attempt(async () => took(await step(ticket, name))), index ? "plainly small" : "primary small", { "data-step": name }));
    return buttons.length ? el("p", { class: "acts" }, buttons) : null;
  }

  function acts(ticket) {
    const deed = (text, work) => press(text, () => attempt(async () => took(await work(ticket))), "quiet small");
    const enters = may("enter_tickets");
    return el("p", { class: "acts lesser" },
      enters && deed("告知患者进度", tell), deed("写备注", note), enters && deed("请科室协查", askDepartment), enters && deed("修改登记", changeFacts),
      enters && deed("关联", link), enters && press("上传附件", () => attempt(async () => took(await attach(ticket))), "quiet small"),
      may("unmask") && press("查看联系方式", () => attempt(() => unmask(`tickets/${ticket.id}/unmask`)), "quiet small"),
      ticket.chat && !beside && press("查看会话", () => go("talks", { chat: ticket.chat }), "quiet small"));
  }

  async function attach(ticket) {
    return ask({
      title: "上传附件", fields: [{ name: "file", label: "图片或 PDF", kind: "file", accept: "image/png,image/jpeg,application/pdf", required: true, wide: true }], done: "上传",
      save: async ({ file }) => {
        const small = await paper(file);
        const answer = await postFile(withQuery(`tickets/${ticket.id}/files`, { name: file.name }), small);
        toast("附件已保存。");
        return answer;
      },
    });
  }
}

const part = (title, ...children) => el("section", {}, el("h3", {}, title), ...children);
const yuan = (amount) => (amount === null ? "" : `${amount}元`);

function registered(ticket) {
  const told = [...ticket.person, ...ticket.facts].map(({ name, value }) => [name, value]);
  return part("登记内容", facts([
    ...told, ["涉及科室", ticket.departments.join("、")], ["被反映人", ticket.accused.join("、")], ["要求金额", yuan(ticket.amount)],
    ["渠道", ticket.channel], ["登记人", ticket.entered_by], ["受理时间", momentText(ticket.received)],
  ]));
}

function people(ticket) {
  return part("办理", facts([
    ["首接人", ticket.first_owner], ["承办部门", ticket.route], ["承办人", ticket.assignee], ["调查人", ticket.investigator], ["决定权限", ticket.level_name],
  ]));
}

function outcome(ticket) {
  const rows = [
    ["处理意见", ticket.findings], ["反馈患者", ticket.result], ["反馈时间", momentText(ticket.result_sent)], ["补偿金额", yuan(ticket.compensation)],
    ["改进措施", ticket.lesson], ["满意度", ticket.rating ? `${ticket.rating}分` : ""], ["办结时间", momentText(ticket.closed)],
  ];
  return rows.some(([, value]) => value) ? part("结果", facts(rows)) : null;
}

function tasks(ticket) {
  if (!ticket.tasks.length) return null;
  const row = (each) => el("li", {},
    el("p", {}, el("b", {}, each.department), tag(each.kind_name), each.answered ? tag("已答复", "good") : each.acknowledged ? tag("已签收", "info") : tag("待签收", "high")),
    el("p", { class: "told" }, each.text), each.answer && el("p", { class: "told answer" }, each.answer),
    el("p", { class: "dim" }, `${momentText(each.at)} 发出，${momentText(each.due)} 前答复`));
  return part("科室协查", el("ul", { class: "rows" }, ticket.tasks.map(row)));
}

function papers(ticket) {
  if (!ticket.files.length) return null;
  const row = (each) => el("li", {}, el("a", { href: `${BASE}tickets/${ticket.id}/files/${each.id}`, target: "_blank", rel: "noopener" }, each.name), el("span", { class: "dim" }, ` ${momentText(each.at)}`));
  return part("附件", el("ul", { class: "rows" }, ticket.files.map(row)));
}

function links(ticket) {
  if (!ticket.links.length) return null;
  const row = (each) => el("li", {}, tag(nameOf("link_kinds", each.kind)), press(each.number, () => go("tickets", { ticket: each.id }), "link-like"), el("span", { class: "dim" }, each.state));
  return part("关联工单", el("ul", { class: "rows" }, ticket.links.map(row)));
}

function history(ticket) {
  const row = (each) => el("li", {},
    el("p", {}, el("time", { datetime: each.at, class: "dim" }, momentText(each.at)), el("b", {}, each.name), el("span", { class: "dim" }, each.by)),
    each.text && el("p", { class: "told" }, each.text));
  return part("办理记录", ticket.events.length ? el("ol", { class: "history" }, [...ticket.events].reverse().map(row)) : empty("还没有记录。"));
}
