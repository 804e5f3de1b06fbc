// The keyboard map: what can be done without a mouse, and the list of it under "?".

import { byId, el } from "./dom.js";
import { anyDialog, show } from "./forms.js";
import { go, place } from "./places.js";
import { me, may } from "./session.js";
import * as talks from "./talks.js";

const MAP = [
  ["Alt+T", "接入下一位患者", "KeyT", () => may("serve") && talks.takeNext()],
  ["Alt+J", "我的下一个会话", "KeyJ", () => talks.step(1)],
  ["Alt+K", "我的上一个会话", "KeyK", () => talks.step(-1)],
  ["Alt+R", "回到回复框", "KeyR", () => byId("draft").focus()],
  ["Alt+N", "写备注", "KeyN", () => talks.panelAt("notes", "textarea")],
  ["Alt+W", "工单", "KeyW", () => (place() === "talks" && talks.opened() ? talks.panelAt("tickets", "#new-ticket") : go("tickets"))],
  ["Alt+S", "搜索", "KeyS", () => searchBox()],
  ["Alt+E", "结束接待", "KeyE", () => talks.end()],
];
const MORE = [
  ["Enter", "发送"],
  ["Ctrl+Enter", "换行"],
  ["/", "在回复框里查找常用语"],
  ["← →", "在标签之间移动"],
  ["Esc", "关闭对话框、常用语或搜索"],
  ["?", "显示这张表"],
];

async function searchBox() {
  if (place() !== "talks") await go("talks");
  byId("search-words").focus();
}

function help() {
  const rows = [...MAP, ...MORE].map(([keys, what]) => el("tr", {}, el("th", { scope: "row" }, el("kbd", {}, keys)), el("td", {}, what)));
  show("快捷键", el("table", { class: "keys-table" }, el("caption", { class: "unseen" }, "快捷键"), el("tbody", {}, rows)));
}

document.addEventListener("keydown", (event) => {
  if (!me || event.ctrlKey || event.metaKey || event.isComposing || event.keyCode === 229 || anyDialog()) return;
  if (event.altKey) {
    const found = MAP.find(([, , code]) => code === event.code);
    if (!found) return;
    event.preventDefault();
    found[3]();
  } else if (event.key === "?" && !event.target.matches("input, textarea, select")) {
    event.preventDefault();
    help();
  }
});
byId("help").addEventListener("click", help);
