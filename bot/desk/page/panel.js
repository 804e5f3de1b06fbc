// The side panel: what the bot has gathered, the patient, tickets, alerts. Masked before it comes here.

import { byId, dayText, el, timeText } from "./dom.js";

function facts(rows) {
  if (!rows.length) return el("p", { class: "empty" }, "还没有收集到信息。");
  return el("dl", { class: "facts" }, rows.map((row) => [el("dt", {}, row.name), el("dd", {}, row.value)]));
}

function part(title, ...children) {
  return el("section", {}, el("h2", {}, title), ...children);
}

const percent = (value) => (typeof value === "number" ? `${Math.round(value * 100)}%` : "");

export function showPanel(panel) {
  byId("panel-body").replaceChildren(...(panel ? build(panel) : []));
}

function build(panel) {
  const shown = [];
  if (panel.flags.length) shown.push(el("p", { class: "flags" }, panel.flags.map((flag) => el("span", { class: "tag high" }, flag))));
  shown.push(
    panel.task
      ? part(`正在办理：${panel.task.name}`, facts(panel.task.facts), panel.task.asked && el("p", { class: "asked" }, `已问到：${panel.task.asked}`))
      : part("正在办理", panel.recent.length ? facts(panel.recent) : el("p", { class: "empty" }, "没有进行中的事项。")),
  );
  if (panel.intent) {
    shown.push(part("最近一次理解", el("p", {}, panel.intent, panel.confidence !== null && el("span", { class: "dim" }, ` 把握 ${percent(panel.confidence)}`))));
  }
  if (panel.suspended.length || panel.later) {
    shown.push(
      part("暂停的事项",
        panel.suspended.map((task) => [el("p", { class: "sub" }, task.name), task.facts.length ? facts(task.facts) : null]),
        panel.later && el("p", {}, `另一个问题：${panel.later}`)),
    );
  }
  shown.push(
    part("患者",
      panel.patients.length
        ? panel.patients.map((patient) =>
            el("p", {}, el("b", {}, patient.name), el("span", { class: "dim" }, ` ${patient.relation}`), el("br"),
              [patient.sex, patient.age, patient.insurance].filter(Boolean).join("，")))
        : el("p", { class: "empty" }, "尚未核实身份，请先不要谈及个人信息。")),
  );
  shown.push(
    part("工单",
      panel.tickets.length
        ? el("ul", { class: "tickets" }, panel.tickets.map(ticket))
        : el("p", { class: "empty" }, "这次会话还没有工单。")),
  );
  if (panel.alerts.length) shown.push(part("警示记录", el("ul", { class: "tickets" }, panel.alerts.map(alert))));
  return shown;
}

function ticket(item) {
  return el("li", { class: item.overdue ? "overdue" : "" },
    el("p", {}, el("b", {}, item.type ? `${item.kind}·${item.type}` : item.kind),
      item.draft && el("span", { class: "tag draft" }, "草稿"),
      item.overdue && el("span", { class: "tag danger" }, "已超期"),
      item.urgent && !item.overdue && el("span", { class: "tag high" }, "加急")),
    item.number && el("p", { class: "number" }, item.number),
    el("p", { class: "dim" }, item.state),
    el("p", { class: "dim" }, [item.route && `承办：${item.route}`, item.due && `期限：${item.due}`].filter(Boolean).join("；")));
}

function alert(item) {
  return el("li", {},
    el("p", {}, el("b", {}, item.name), el("span", { class: item.definite ? "tag danger" : "tag high" }, item.definite ? "明确" : "存疑")),
    el("p", { class: "dim" }, `${dayText(item.at)} ${timeText(item.at)}，第${item.seq}条；`, item.seen_by ? `${item.seen_by}已查看` : "尚未查看"));
}
