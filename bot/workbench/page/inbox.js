// Messages of patients, what teaches most first; beside them the talk around one and the editor for it.

import { attempt, get, post } from "./api.js";
import { byId, dialog, closeDialog, el, empty, fill, key, later, percent, pick, press, tag, toast, when } from "./dom.js";
import { labelling } from "./labelling.js";
import { labels, loadLabels, reasons, search, titleOf, used } from "./words.js";

const SENDERS = { patient: "患者", bot: "智能客服", agent: "人工客服", system: "系统" };
const filter = { state: "open", days: "30", reason: "", label: "", words: "" };
let found = { total: 0, counts: {}, messages: [] };
let at = 0;
let chosen = new Set();
let root = null;
let editor = null;

export async function open(main) {
  chosen = new Set();
  editor = labelling({ onchange: drawSave });
  root = el("div", { class: "two", "data-view": "list" },
    el("section", { class: "side", "aria-label": "待学习的消息" },
      el("h2", { class: "unseen" }, "收件箱"),
      el("div", { class: "filters" }),
      el("div", { class: "bulk", id: "bulk" }),
      el("ul", { class: "items", id: "items", "aria-label": "消息" }),
      el("p", { class: "centre" }, press("显示更多", more, "quiet", { id: "more", hidden: true }))),
    el("section", { class: "work", id: "work", "aria-label": "当前消息" }));
  fill(main, root);
  await load();
}

async function load(keep = 0) {
  const answer = await attempt(() => get("inbox", filter));
  if (!answer || !root.isConnected) return;
  found = answer;
  at = Math.min(keep, Math.max(found.messages.length - 1, 0));
  drawFilters();
  drawItems();
  show();
}

async function more() {
  const answer = await attempt(() => get("inbox", { ...filter, start: found.messages.length }));
  if (!answer || !root.isConnected) return;
  found = { ...answer, messages: [...found.messages, ...answer.messages] };
  drawItems();
}

function drawFilters() {
  const box = root.querySelector(".filters");
  if (box.childElementCount) {
    fill(box.querySelector("#reasons"), reasonButtons());
    return;
  }
  const again = () => load();
  const set = (name) => (event) => {
    filter[name] = event.target.value;
    again();
  };
  const words = el("input", { type: "search", placeholder: "搜索消息", "aria-label": "搜索消息", value: filter.words, oninput: later((event) => set("words")(event)) });
  const groups = [["", "全部识别结果"], ["nlu_fallback", "没有把握"], ...labels.map((each) => [each.label, each.title])];
  fill(box, el("div", { class: "filter-row" },
    pick([["open", "待处理"], ["labelled", "已标注"], ["skipped", "已跳过"], ["all", "全部"]], filter.state, set("state"), { "aria-label": "状态" }),
    pick([["1", "近1天"], ["7", "近7天"], ["30", "近30天"], ["90", "近90天"]], filter.days, set("days"), { "aria-label": "时间" }),
    pick(groups, filter.label, set("label"), { "aria-label": "识别为" })),
  words, el("div", { class: "row", id: "reasons", role: "group", "aria-label": "原因" }, reasonButtons()));
}

const reasonButtons = () => Object.entries(reasons).map(([name, title]) =>
  press(`${title} ${found.counts[name] ?? 0}`, () => {
    filter.reason = filter.reason === name ? "" : name;
    load();
  }, `chip${filter.reason === name ? " on" : ""}`, { "aria-pressed": String(filter.reason === name) }));

function drawItems() {
  const list = byId("items");
  fill(list, found.messages.map((each, number) => el("li", { class: "item", "aria-current": number === at ? "true" : null, "data-key": each.key },
    el("input", { type: "checkbox", "aria-label": `选择：${each.text.slice(0, 20)}`, onchange: () => toggle(each.key) }),
    el("button", { type: "button", class: "item-main", onclick: () => go(number, true) },
      el("span", { class: "item-text" }, each.text),
      el("span", { class: "item-facts" }, each.reasons.map((name) => tag(reasons[name], name === "doubt" ? "high" : "bad")),
        each.state !== "open" ? tag(each.state === "labelled" ? "已标注" : "已跳过", "good") : null,
        el("span", { class: "dim" }, `${each.title} ${each.confidence === null ? "" : percent(each.confidence)}${each.times > 1 ? ` · ${each.times}次` : ""} · ${when(each.at)}`))))));
  if (!found.messages.length) fill(list, el("li", {}, empty("这里没有要处理的消息。可以换一个条件看看。")));
  for (const row of list.querySelectorAll(".item")) row.querySelector("input").checked = chosen.has(row.dataset.key);
  byId("more").hidden = found.messages.length >= found.total;
  drawBulk();
}

function toggle(name) {
  if (chosen.has(name)) chosen.delete(name);
  else chosen.add(name);
  for (const row of root.querySelectorAll(".item")) row.querySelector("input").checked = chosen.has(row.dataset.key);
  drawBulk();
}

function drawBulk() {
  const box = byId("bulk");
  if (!chosen.size) {
    fill(box, el("p", { class: "dim" }, `共${found.total}条，重复的已合并`));
    return;
  }
  fill(box, el("div", { class: "row" }, el("b", {}, `已选${chosen.size}条`), press("批量标注", bulkLabel, "plainly small"),
    press("批量跳过", bulkSkip, "plainly small"), press("取消", () => { chosen.clear(); drawItems(); }, "quiet small")));
}

function bulkLabel() {
  const list = el("ul", { class: "hits open" });
  const input = el("input", { type: "search", "aria-label": "查找意图", placeholder: "查找意图" });
  const choose = async (name) => {
    const lines = found.messages.filter((each) => chosen.has(each.key)).map((each) => ({ key: each.key, text: each.text, label: name, spans: [] }));
    const saved = await attempt(() => post("save", { lines }));
    if (!saved) return;
    closeDialog();
    used(name);
    toast(`已保存${saved.saved}条到“${titleOf(name)}”。`);
    chosen.clear();
    await Promise.all([attempt(loadLabels), load(at)]);
  };
  input.addEventListener("input", () => fill(list, search(input.value).map((each) => el("li", {}, press(`${each.title}（${each.examples}条）`, () => choose(each.label), "plainly")))));
  dialog(`把${chosen.size}条消息标为`, el("p", { class: "dim" }, "批量标注不带实体；有冲突或重复时一条也不会保存。"), input, list,
    el("p", { class: "row end" }, press("取消", closeDialog, "quiet")));
  input.focus();
}

async function bulkSkip() {
  if (await attempt(() => post("skip", { keys: [...chosen] }))) {
    toast(`已跳过${chosen.size}条。`);
    chosen.clear();
    await load(at);
  }
}

function go(number, opened = false) {
  if (number < 0 || number >= found.messages.length) return;
  at = number;
  for (const [place, row] of [...root.querySelectorAll(".item")].entries()) {
    if (place === at) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
    if (place === at) row.scrollIntoView({ block: "nearest" });
  }
  if (opened) root.dataset.view = "work";
  show();
}

async function show() {
  const work = byId("work");
  const message = found.messages[at];
  if (!message) {
    root.dataset.view = "list";
    fill(work, empty("选择左侧的一条消息开始标注。"));
    return;
  }
  const talk = el("ol", { class: "talk", "aria-label": "前后对话", tabindex: "0" });
  fill(work,
    el("div", { class: "work-head" }, press("返回列表", () => (root.dataset.view = "list"), "quiet small back"), el("h2", {}, "这句话是什么意思？"),
      el("p", { class: "dim" }, `现在识别为 ${message.title}${message.confidence === null ? "" : `，把握${percent(message.confidence)}`}`)),
    talk, editor.box, el("div", { class: "save-row", id: "save-row" }));
  drawSave();
  editor.open({ key: message.key, text: message.text, guess: message.intent, confidence: message.confidence, label: null });
  const around = await attempt(() => get("context", { chat: message.chat, seq: message.seq }));
  if (!around || found.messages[at] !== message || !talk.isConnected) return;
  fill(talk, around.lines.map((line) => el("li", { class: `said ${line.sender}${line.seq === message.seq ? " this" : ""}` },
    el("span", { class: "dim" }, `${SENDERS[line.sender] ?? ""} ${when(line.at)}${line.title ? ` · 理解为${line.title}` : ""}`), el("p", {}, line.text))));
  talk.querySelector(".this")?.scrollIntoView({ block: "center" });
}

function drawSave() {
  const box = byId("save-row");
  if (!box) return;
  const ready = Boolean(editor.line());
  if (box.childElementCount) {
    byId("save").disabled = !ready;
    return;
  }
  fill(box, press(["保存并看下一条", key("Enter")], save, "primary", { id: "save", disabled: !ready, "aria-keyshortcuts": "Enter" }),
    press(["跳过", key("S")], skip, "plainly", { "aria-keyshortcuts": "S" }), press(["撤销", key("U")], undo, "quiet", { "aria-keyshortcuts": "U" }));
}

async function save() {
  const line = editor.line();
  if (!line) {
    toast("请先选择意图，并处理红色的提示。");
    return;
  }
  byId("save").disabled = true;
  const saved = await attempt(() => post("save", { lines: [line] }));
  if (!saved) {
    drawSave();
    return;
  }
  toast(`已保存到“${titleOf(line.label)}”${saved.commit ? "，并记入版本" : ""}。`);
  await load(at);
  attempt(loadLabels);
}

async function skip() {
  const message = found.messages[at];
  if (message && (await attempt(() => post("skip", { keys: [message.key] })))) await load(at);
}

async function undo() {
  const undone = await attempt(() => post("undo"));
  if (!undone) return;
  toast(undone.undone === "labelled" ? "已撤销，例句已从文件中取出。" : "已撤销跳过。");
  await load(at);
}

export function press_(event) {
  const name = event.key.toLowerCase();
  if (event.target.closest(".rail, .top, .filters, .bulk, .item")) {
    if (["enter", " "].includes(name)) return false;
  }
  if (editor?.press(event)) return true;
  if (name === "j") go(at + 1);
  else if (name === "k") go(at - 1);
  else if (name === "s") skip();
  else if (name === "u") undo();
  else if (name === "x" && found.messages[at]) toggle(found.messages[at].key);
  else if (name === "enter" && !event.target.closest("button, a")) save();
  else return false;
  return true;
}
export { press_ as press };
