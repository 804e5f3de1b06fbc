// What was changed, by whom, line by line; each change can be taken back.

import { attempt, get, post } from "./api.js";
import { byId, el, empty, fill, press, toast, when } from "./dom.js";

let commits = [];
let root = null;

export async function open(main) {
  root = el("div", { class: "two", "data-view": "list" }, el("section", { class: "side", "aria-label": "修改记录" }, el("div", { class: "filters" }, el("h2", {}, "记录"), el("p", { class: "dim", id: "changes-note" })), el("ul", { class: "items", id: "commits" })),
    el("section", { class: "work", id: "work", "aria-label": "修改内容" }, empty("选择左侧的一次修改，查看改了哪几行。")));
  fill(main, root);
  await load();
}

async function load() {
  const found = await attempt(() => get("changes"));
  if (!found || !byId("commits")) return;
  commits = found.commits;
  byId("changes-note").textContent = !found.git ? "没有启用版本管理（git）：修改照常保存，但看不到记录，也不能按版本撤回。" : found.dirty ? "训练数据里还有未提交的修改（可能是用编辑器改的）。" : "训练数据和回答的每次修改都在这里。";
  fill(byId("commits"), commits.map((each) => el("li", { class: "item" }, el("button", { type: "button", class: "item-main", onclick: (event) => show(each, event.currentTarget) },
    el("span", { class: "item-text" }, each.title), el("span", { class: "item-facts dim" }, `${each.author} · ${when(each.at)} · ${each.sha}`)))));
  if (!commits.length) fill(byId("commits"), el("li", {}, empty("还没有记录。")));
}

async function show(each, button) {
  const found = await attempt(() => get(`changes/${each.sha}`));
  if (!found) return;
  root.dataset.view = "work";
  for (const row of root.querySelectorAll(".item")) row.removeAttribute("aria-current");
  button.closest(".item").setAttribute("aria-current", "true");
  const lines = found.diff.split("\n").filter((line) => !/^(index|diff|---|new file)/.test(line));
  const look = (line) => (line.startsWith("+++") ? "file" : line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : "");
  const text = (line) => (line.startsWith("+++ b/") ? line.slice(6) : line);
  fill(byId("work"), el("div", { class: "work-head" }, press("返回列表", () => (root.dataset.view = "list"), "quiet small back"), el("h2", {}, each.title), el("p", { class: "dim" }, `${each.author} ${when(each.at)}，版本 ${each.sha}`)),
    el("div", { class: "diff", tabindex: "0", role: "region", "aria-label": "逐行差异" }, lines.map((line) => el("div", { class: look(line) }, text(line) || " "))),
    el("div", { class: "row end save-row" }, press("撤回这次修改", () => revert(each), "plainly")));
}

async function revert(each) {
  if (!(await attempt(() => post(`changes/${each.sha}/revert`)))) return;
  toast("已撤回，并作为一次新的修改记录下来。");
  fill(byId("work"), empty("选择左侧的一次修改，查看改了哪几行。"));
  await load();
}
