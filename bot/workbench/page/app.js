// The shell: sign-in, the five places, keys that hold everywhere.

import { attempt, get, post, setCsrf } from "./api.js";
import * as answers from "./answers.js";
import * as changes from "./changes.js";
import { byId, closeDialog, composing, dialog, el, fill, key, press } from "./dom.js";
import * as examples from "./examples.js";
import * as inbox from "./inbox.js";
import * as models from "./models.js";
import { loadLabels } from "./words.js";

const PLACES = { inbox, examples, answers, models, changes };
const KEYS = [
  ["J / K", "下一条 / 上一条"],
  ["1–9", "没有选中词语：选意图；选中词语：选标注"],
  ["/", "查找意图（中文、拼音首字母、代号）"],
  ["← →", "在词语间移动；按住 Shift 扩大选择"],
  ["A", "采用建议的标注"],
  ["Delete", "取消选中处的标注"],
  ["Enter", "保存并看下一条"],
  ["S", "跳过"],
  ["U", "撤销上一步"],
  ["X", "勾选，用于批量处理"],
];
let place = null;

async function enter() {
  const me = await get("me").catch(() => null);
  byId("gate").hidden = Boolean(me);
  byId("bench").hidden = !me;
  if (!me) {
    byId("number").focus();
    return;
  }
  setCsrf(me.csrf);
  byId("hospital").textContent = me.hospital;
  byId("who").textContent = `${me.name}（${me.role_name}）`;
  await attempt(loadLabels);
  models.watch();
  show();
}

function show() {
  const [name, ...rest] = decodeURIComponent(location.hash.slice(1) || "inbox").split("=");
  const chosen = PLACES[name] ?? inbox;
  if (place && place !== chosen) place.leave?.();
  place = chosen;
  for (const link of document.querySelectorAll(".rail a")) {
    if (PLACES[link.dataset.place] === chosen) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  fill(byId("main"));
  document.title = `${document.querySelector(".rail a[aria-current]").textContent} · 训练工作台`;
  chosen.open(byId("main"), rest.join("="));
}

byId("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  byId("gate-error").textContent = "";
  try {
    await post("sign-in", { number: byId("number").value, password: byId("password").value });
    byId("password").value = "";
    await enter();
  } catch (error) {
    byId("gate-error").textContent = error.message;
    byId("password").select();
  }
});

byId("sign-out").addEventListener("click", async () => {
  await attempt(() => post("sign-out"));
  location.reload();
});

byId("help").addEventListener("click", help);

function help() {
  const rows = KEYS.map(([name, words]) => [el("dt", {}, key(name)), el("dd", {}, words)]);
  dialog("快捷键", el("dl", { class: "key-list" }, rows), el("p", { class: "row end" }, press("关闭", closeDialog)));
}

document.addEventListener("bench:left", (event) => {
  closeDialog();
  byId("bench").hidden = true;
  byId("gate").hidden = false;
  byId("gate-error").textContent = event.detail;
  byId("number").focus();
});

window.addEventListener("hashchange", () => !byId("bench").hidden && location.hash !== "#main" && show());

document.addEventListener("keydown", (event) => {
  if (byId("bench").hidden || byId("dialog").open || composing(event) || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.target.matches("input, textarea, select")) return;
  if (event.key === "?") {
    help();
    return;
  }
  if (place?.press?.(event)) event.preventDefault();
});

enter();
