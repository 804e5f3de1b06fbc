// What the supervisor watches: who waits, who serves how many, what is about to be late.

import { get } from "./api.js";
import { el, fill, press, tag } from "./dom.js";
import { lists } from "./news.js";
import { go } from "./places.js";
import { attempt, may, me } from "./session.js";
import { table } from "./tables.js";
import { ageOf, lengthText } from "./times.js";

const DUTIES = { manual: "自己接入", auto: "自动分配", break: "小休" };
const AGAIN = 10_000;

let parts = null;
let timer = 0;

export async function show(root) {
  parts = { tiles: el("ul", { class: "tiles" }), queue: el("div", {}), people: el("div", {}), late: el("div", {}) };
  fill(root,
    el("div", { class: "place-head" }, el("h2", {}, "现场"), el("p", { class: "dim" }, "每10秒更新")),
    parts.tiles,
    el("div", { class: "halves" },
      el("section", { class: "card block" }, el("h3", {}, "排队"), parts.queue),
      el("section", { class: "card block" }, el("h3", {}, "同事"), parts.people)),
    el("section", { class: "card block" }, el("h3", {}, "工单时限"), parts.late));
  await load();
  timer = setInterval(() => attempt(load), AGAIN);
}

export function left() {
  clearInterval(timer);
  parts = null;
}

export function heard() {
  if (parts) queue();
}

async function load() {
  const [live, colleagues] = await Promise.all([get("reports/live"), get("colleagues")]);
  if (!parts) return;
  const longest = live.longest_wait ?? 0;
  const tiles = [
    ["排队患者", live.waiting, live.waiting > 0 ? "warn" : ""],
    ["最长等待", longest ? lengthText(longest) : "—", longest > 300 ? "late" : ""],
    ["接待中", live.held, ""],
    ["在岗同事", live.here, live.here === 0 ? "late" : ""],
    ["未查看警示", live.alerts, live.alerts > 0 ? "late" : ""],
    ["在办工单", live.open_tickets, ""],
    ["超期工单", live.overdue, live.overdue > 0 ? "late" : ""],
  ];
  fill(parts.tiles, tiles.map(([name, value, look]) => el("li", { class: `tile ${look}` }, el("b", {}, String(value)), el("span", {}, name))));
  fill(parts.people, table("同事与接待量", [
    ["姓名", (each) => each.name],
    ["岗位", (each) => each.role_name],
    ["状态", (each) => (each.here ? tag(DUTIES[each.duty] ?? "在线", each.duty === "break" ? "high" : "good") : tag("不在线"))],
    ["接待", (each) => share(each), { number: true }],
    ["技能组", (each) => (each.skills ?? []).map((key) => me.skill_names?.[key] ?? key).join("、") || "—"],
  ], [...colleagues.colleagues].sort((one, other) => Number(other.here) - Number(one.here)), "还没有同事。", { quiet: true }));
  queue();
  const counts = lists.tickets;
  fill(parts.late,
    el("p", {}, `待分派 ${counts.unassigned ?? 0}　临近期限 ${counts.warned ?? 0}　已超期 ${counts.overdue ?? 0}`),
    el("p", { class: "acts" }, press("去分派", () => go("tickets"), "plainly"), may("reports") && press("看报表", () => go("reports"), "quiet")));
}

const share = (each) => el("span", {}, `${each.talks}/${each.capacity} `, el("meter", { min: 0, max: each.capacity, high: each.capacity * 0.8, optimum: 0, value: each.talks, "aria-label": `${each.name}的接待量` }));

function queue() {
  fill(parts.queue, table("正在排队的患者", [
    ["序", (item) => String(item.place)],
    ["患者", (item) => item.visitor],
    ["原因", (item) => item.reason],
    ["技能组", (item) => item.skill_name || "—"],
    ["已等", (item) => ageOf(item.since), { number: true }],
  ], lists.queue.map((item) => ({ ...item, look: item.urgency === "danger" ? "alarm" : null })), "现在没有患者在排队。", { quiet: true }));
}
