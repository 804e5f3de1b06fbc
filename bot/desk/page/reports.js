// Reports of a month: service, complaints with Pareto and trend, rectification; the workbook to take along (R71, R72).

import { BASE, get, withQuery } from "./api.js";
import { columns, pareto, trend } from "./charts.js";
import { el, empty, fill, press, tag } from "./dom.js";
import { attempt, me } from "./session.js";
import { tabBar, table, tabs } from "./tables.js";
import { dateOf, lengthText, monthAfter } from "./times.js";

const TABS = [["service", "服务"], ["complaints", "投诉"], ["month", "月报"], ["rectification", "整改公示"]];
const LEFT = { left: "患者已离开", hours: "人工服务时间结束" };
const TREND = 5; // months before the chosen one
let month = "";
let body = null;
let picker = null;
let tab = "service";
let wish = 0;

export async function show(root) {
  const today = dateOf().slice(0, 7);
  month = month || today;
  body = el("div", { id: "report", role: "tabpanel", class: "report", "aria-live": "polite" });
  const months = Array.from({ length: 13 }, (_, back) => monthAfter(today, -back));
  picker = el("select", { id: "month", onchange: () => turn(picker.value) }, months.map((each) => el("option", { value: each }, monthName(each))));
  const bar = tabBar("报表分组", TABS, "report");
  const book = el("a", { class: "button plainly", id: "workbook", download: "" }, "下载月报 .xlsx");
  fill(root,
    el("div", { class: "place-head" }, el("h2", {}, "报表"),
      el("div", { class: "months" }, press("‹", () => turn(monthAfter(month, -1)), "plainly", { "aria-label": "上个月" }),
        el("label", { class: "unseen", for: "month" }, "月份"), picker,
        press("›", () => turn(monthAfter(month, 1)), "plainly", { "aria-label": "下个月" })), book),
    bar, body);

  function turn(wanted) {
    if (!months.includes(wanted)) return;
    month = wanted;
    load();
  }

  tabs(bar, (key) => {
    tab = key;
    load();
  })(tab);
}

export function left() {
  body = null;
}

const monthName = (given) => `${given.slice(0, 4)}年${Number(given.slice(5))}月`;
const dayName = (day) => `${Number(day.slice(5, 7))}/${Number(day.slice(8, 10))}`;
const percent = (share) => (typeof share === "number" ? `${share.toFixed(1)}%` : "—");
const lastDay = (given) => new Date(Date.UTC(Number(given.slice(0, 4)), Number(given.slice(5)), 0)).toISOString().slice(0, 10);

async function load() {
  wish += 1;
  const mine = wish;
  picker.value = month;
  document.getElementById("workbook").href = `${BASE}reports/month.xlsx?month=${month}`;
  const found = await attempt(ASKED[tab]);
  if (found && mine === wish && body) fill(body, SHOWN[tab](found));
}

const span = (months = 0) => {
  const today = dateOf();
  return { from: `${monthAfter(month, -months)}-01`, to: today.startsWith(month) ? today : lastDay(month) };
};
const ASKED = {
  service: () => get(withQuery("reports/service", span())),
  complaints: async () => {
    const [now, long] = await Promise.all([get(withQuery("reports/complaints", span())), get(withQuery("reports/complaints", span(TREND)))]);
    return { ...now, trend: long.trend };
  },
  month: () => get(withQuery("reports/month", { month })),
  rectification: () => get(withQuery("reports/rectification", { month })),
};
const SHOWN = { service, complaints, month: whole, rectification };

const tile = (name, value, hint) => el("li", { class: "tile" }, el("b", {}, String(value ?? "—")), el("span", {}, name), hint && el("span", { class: "dim" }, hint));
const block = (title, ...children) => el("section", { class: "card block" }, el("h3", {}, title), ...children);
const beside = (title, chart, figures) => block(title, el("div", { class: "beside" }, chart ? el("div", { class: "chart-box", tabindex: 0, role: "group", "aria-label": title }, chart) : null, figures));
const mean = (rating) => (rating.mean === null ? "—" : `${rating.mean.toFixed(1)}分`);
const most = (given) => (given.p90 === null ? "" : `九成在 ${lengthText(given.p90)} 内`);
const spread = (name, given) => tile(name, lengthText(given.median), most(given));
const outcomeName = (key) => me.outcomes.find((each) => each.key === key)?.name ?? LEFT[key] ?? key;
const number = (name, give) => [name, (row) => String(give(row) ?? "—"), { number: true }];

function service(found) {
  const days = found.by_day.map((each) => [dayName(each.day), each.talks]);
  const outcomes = Object.entries(found.outcomes);
  return [
    el("ul", { class: "tiles" },
      tile("转人工会话", found.talks, `接入 ${found.taken}`), spread("等待", found.wait), spread("首次回复", found.first_response), spread("处理时长", found.handling),
      tile("满意度", mean(found.rating), found.rating.answered ? `${found.rating.answered} 人评价，满意 ${percent(found.rating.satisfied)}` : "")),
    beside("每天会话", days.length ? columns("每天转人工的会话数", days) : null,
      table("每天会话", [["日期", (row) => row[0]], number("会话", (row) => row[1])], days, "这个月还没有会话。", { quiet: true })),
    el("div", { class: "halves" },
      block("按客服", table("按客服", [
        ["客服", (row) => row.agent], number("会话", (row) => row.talks), ["首次回复", (row) => lengthText(row.first_response), { number: true }],
        ["处理时长", (row) => lengthText(row.handling), { number: true }], number("满意度", (row) => row.rating),
      ], found.by_agent, "这个月还没有会话。", { quiet: true })),
      block("接待结果", table("接待结果", [["结果", (row) => outcomeName(row[0])], number("会话", (row) => row[1])], outcomes, "这个月还没有会话。", { quiet: true }))),
  ];
}

const typeTable = (types) => table("投诉类型", [
  ["类型", (row) => row.name], number("件数", (row) => row.count), ["占比", (row) => percent(row.share), { number: true }], ["累计", (row) => percent(row.cumulative), { number: true }],
], types, "没有投诉。", { quiet: true });

function complaints(found) {
  if (!found.count) return empty(`${monthName(month)}没有投诉。`);
  const trendRows = found.trend.map((each) => [each.at.length > 7 ? dayName(each.at) : `${Number(each.at.slice(5))}月`, each.count]);
  const { sla } = found;
  return [
    el("ul", { class: "tiles" },
      tile("投诉", found.count, `上一时段 ${found.before}`), tile("按期答复", `${sla.in_time}/${sla.answered}`, sla.overdue ? `超期 ${sla.overdue} 件` : ""), tile("未办结", sla.open),
      tile("答复天数（中位）", found.median_days ?? "—"), tile("每件转办次数", found.handovers.mean ?? "—"), tile("满意度", mean(found.rating), found.rating.answered ? `${found.rating.answered} 人评价` : "")),
    beside("投诉类型（帕累托图）",
      pareto(`投诉类型：${found.types.map((row) => `${row.name}${row.count}件`).join("，")}`, found.types.map((row) => [row.name, row.count, row.cumulative / 100])), typeTable(found.types)),
    beside("近六个月趋势", trend(`投诉件数：${trendRows.map(([name, count]) => `${name}${count}件`).join("，")}`, trendRows),
      table("近六个月趋势", [["时间", (row) => row[0]], number("件数", (row) => row[1])], trendRows, "还没有数据。", { quiet: true })),
    block("科室（同月3件及以上需要改进流程）", table("科室", [
      ["科室", (row) => row.department], number("件数", (row) => row.count), ["提示", (row) => (row.repeat ? tag("重复反映", "high") : "")],
    ], found.departments, "没有登记科室。", { quiet: true })),
  ];
}

function whole(found) {
  const { service: talks, complaints: told } = found;
  return [
    el("ul", { class: "tiles" },
      tile("转人工会话", talks.talks), spread("等待", talks.wait), tile("服务满意度", mean(talks.rating)),
      tile("投诉", told.count, `上月 ${told.before}`), tile("按期答复", `${told.sla.in_time}/${told.sla.answered}`), tile("投诉满意度", mean(told.rating))),
    block("主要原因（合计占八成）", typeTable(found.top)),
    block("已采取的改进措施", table("改进措施", [
      ["工单", (row) => row.number], ["类型", (row) => row.type], ["科室", (row) => row.departments.join("、")], ["改进措施", (row) => row.lesson],
    ], found.lessons, "这个月没有办结的投诉。", { quiet: true })),
  ];
}

function rectification(found) {
  return [
    el("p", { class: "dim" }, "公示内容没有患者和员工的姓名，可以直接张贴。", found.held_back > 0 && `有 ${found.held_back} 件因为写有姓名没有列出，请修改改进措施。`),
    table(`${monthName(month)}投诉整改情况`, [
      ["类型", (row) => row.type], ["科室", (row) => row.departments.join("、")], ["整改措施", (row) => row.lesson], ["办结", (row) => row.closed],
    ], found.entries, "这个月没有办结的投诉。"),
  ];
}
