// The pages of the desk: who sees which, and going from one to another without losing the open conversation.

import { byId, el, fill } from "./dom.js";
import { icon } from "./icons.js";
import { lists } from "./news.js";
import { attempt, may, me } from "./session.js";

const waiting = (counts) => (counts.unassigned ?? 0) + (counts.overdue ?? 0);
const PLACES = [
  { key: "talks", name: "接待", right: "serve", badge: () => lists.mine.filter((item) => item.unanswered.length).length },
  { key: "tasks", name: "协查", right: "answer_tasks", badge: (counts) => counts.tasks ?? 0, load: () => import("./tasks.js") },
  { key: "tickets", name: "工单", right: "tickets", badge: waiting, load: () => import("./tickets.js") },
  { key: "stops", name: "停诊", right: "clinics", load: () => import("./stops.js") },
  { key: "live", name: "现场", right: "reports", load: () => import("./live.js") },
  { key: "reports", name: "报表", right: "reports", load: () => import("./reports.js") },
  { key: "shift", name: "交接班", right: "serve", load: () => import("./shift.js") },
  { key: "replies", name: "常用语", right: "see_all", load: () => import("./replies.js") },
  { key: "people", name: "人员", right: "people", load: () => import("./people.js") },
  { key: "audit", name: "审计", right: "audit", load: () => import("./audit.js") },
];
const TITLE = "人工客服工作台";

let now = null; // the place that is shown
let shown = null; // its module
let hello = () => {};

const addressOf = (key) => (key === "talks" ? "/desk" : `/desk/${key}`);
const mine = () => PLACES.filter((place) => may(place.right));

export const place = () => now?.key ?? null;

/** Say what shows the conversations: `talks(query)` is called each time they come into view. */
export function begin(talks) {
  hello = talks;
}

/** Go to a page; `query` is a record such as {ticket: 12}. */
export function go(key, query = {}) {
  const search = new URLSearchParams(query).toString();
  history.pushState({}, "", addressOf(key) + (search ? `?${search}` : ""));
  return arrive();
}

/** Show the page that the address names; without the right for it, the first one that is allowed. */
export async function arrive({ focus = true } = {}) {
  const wanted = location.pathname.split("/")[2] || "talks";
  const readsTalk = wanted === "talks" && may("read_chats") && location.search;
  const found = mine().find((each) => each.key === wanted) ?? (readsTalk ? PLACES[0] : mine()[0]);
  now = found ?? null;
  shown?.left?.();
  shown = null;
  const talks = now?.key === "talks";
  byId("talks").hidden = !talks;
  byId("place").hidden = talks;
  document.body.dataset.place = now?.key ?? "none";
  document.title = now ? `${now.name} · ${TITLE}` : TITLE;
  drawRail();
  const query = Object.fromEntries(new URLSearchParams(location.search));
  if (talks) return hello(query);
  const root = byId("place");
  if (!now) {
    const other = me.role === "trainer" ? "您的账号用于训练工作台，请从训练工作台登录。" : "您的账号还没有可以使用的页面，请与管理员联系。";
    return fill(root, el("h2", {}, "没有可用的页面"), el("p", { class: "empty" }, other));
  }
  fill(root, el("p", { class: "empty" }, "正在打开……"));
  const wish = now;
  const module = await now.load();
  if (wish !== now) return undefined;
  shown = module;
  fill(root);
  await attempt(() => module.show(root, query));
  if (focus) root.focus();
  return undefined;
}

/** Forget everything that was shown: somebody else may sit down here. */
export function clear() {
  shown?.left?.();
  shown = null;
  now = null;
  fill(byId("place"));
  fill(byId("rail"));
}

/** New lists have come. */
export function heard() {
  drawRail();
  shown?.heard?.();
}

let drawn = "";

function drawRail() {
  if (!me) return;
  const rows = mine().map((each) => [each, each.badge?.(lists.tickets) ?? 0]);
  const mark = JSON.stringify([rows, now?.key]);
  if (mark === drawn && byId("rail").children.length) return;
  drawn = mark;
  const focused = document.activeElement?.closest("#rail a")?.dataset.place;
  fill(byId("rail"), el("ul", {}, rows.map(([each, count]) => {
    const link = el("a", { href: addressOf(each.key), "data-place": each.key, "aria-current": each === now ? "page" : null },
      icon(each.key), el("span", {}, each.name),
      count > 0 && el("b", { class: "badge" }, el("span", { class: "unseen" }, "待处理"), String(count)));
    return el("li", {}, link);
  })));
  if (focused) byId("rail").querySelector(`[data-place="${focused}"]`)?.focus();
}

byId("rail").addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(link.dataset.place);
});
window.addEventListener("popstate", () => me && arrive());
