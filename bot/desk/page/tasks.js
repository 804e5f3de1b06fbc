// The inbox of a department: what other offices ask, acknowledged and answered (R56). Quality control has one, too.

import { get, post } from "./api.js";
import { el, empty, fill, press, tag, toast } from "./dom.js";
import { ask } from "./forms.js";
import { lists } from "./news.js";
import { go } from "./places.js";
import { attempt, me } from "./session.js";
import { clock, lengthText, momentText } from "./times.js";

let root = null;
let known = 0;

export async function show(place) {
  root = place;
  draw((await get("tasks")).tasks);
}

export function left() {
  root = null;
}

/** The count in the news has changed: somebody asked, or a colleague answered. */
export async function heard() {
  if (!root || lists.tickets.tasks === known || document.querySelector("dialog[open]")) return;
  known = lists.tickets.tasks;
  const found = await get("tasks").catch(() => null);
  if (found && root) draw(found.tasks);
}

function draw(tasks) {
  const office = me.role === "quality" ? "质控待办" : "科室协查";
  const waiting = tasks.filter((task) => !task.acknowledged).length;
  fill(root,
    el("div", { class: "place-head" }, el("h2", {}, office), el("p", { class: "dim" }, `${tasks.length} 项待答复，其中 ${waiting} 项待签收`)),
    tasks.length ? el("ul", { class: "cards" }, tasks.map(card)) : empty("没有等待答复的任务。"));
}

function card(task) {
  const left = (Date.parse(task.due) - clock()) / 1000;
  return el("li", { class: "task card" },
    el("p", { class: "line" }, el("b", {}, task.kind_name), task.acknowledged ? tag("已签收", "info") : tag("待签收", "high"),
      el("span", { class: `push ${left < 0 ? "late" : "dim"}` }, left < 0 ? `已超过 ${lengthText(-left)}` : `还剩 ${lengthText(left)}`)),
    el("p", { class: "told" }, task.text),
    el("p", { class: "dim" }, [task.department, task.number, `${momentText(task.at)} 发出`, `${momentText(task.due)} 前答复`].filter(Boolean).join("　")),
    el("p", { class: "acts" },
      !task.acknowledged && press("签收", () => acknowledge(task), "primary"),
      press("填写答复", () => answer(task), task.acknowledged ? "primary" : "plainly"),
      press("查看工单", () => go("tickets", { ticket: task.ticket }), "quiet")));
}

async function acknowledge(task) {
  const found = await attempt(() => post(`tasks/${task.id}/acknowledge`));
  if (found && root) {
    draw(found.tasks);
    toast("已签收。");
  }
}

async function answer(task) {
  const found = await ask({
    title: "科室答复",
    lead: task.text,
    fields: [{ name: "text", label: "情况说明", kind: "area", rows: 6, required: true, maxlength: 4000, wide: true, hint: "事实经过、已经做的处理、今后怎样避免" }],
    done: "提交答复",
    save: (values) => post(`tasks/${task.id}/answer`, values),
  });
  if (found && root) draw(found.tasks);
}
