// What we answer: found, changed with a preview and the language rules beside it; a new standing question from one form.

import { attempt, get, post } from "./api.js";
import { byId, el, empty, field, fill, later, press, tag, toast } from "./dom.js";
import { loadLabels } from "./words.js";

let all = [];
let variables = [];
let today = "";
let words = "";
let root = null;
let chosen = null;

export async function open(main) {
  root = el("div", { class: "two", "data-view": "list" },
    el("section", { class: "side", "aria-label": "回答列表" },
      el("div", { class: "filters" }, el("div", { class: "row" }, el("h2", {}, "回答"), press("新增常见问题", ask, "primary small")),
        el("input", { type: "search", placeholder: "搜索回答、代号、负责科室", "aria-label": "搜索回答", value: words, oninput: later((event) => { words = event.target.value; list(); }) })),
      el("ul", { class: "items", id: "answers" })),
    el("section", { class: "work", id: "work", "aria-label": "修改回答" }, empty("选择左侧的一条回答。改过的回答重启服务或上线模型后生效，不用重新训练。")));
  fill(main, root);
  await load();
}

async function load() {
  const found = await attempt(() => get("answers"));
  if (!found || !byId("answers")) return;
  ({ answers: all, variables, today } = found);
  list();
}

const nameOf = (each) => each.title || "修改回答";
const expired = (each) => each.valid_to && each.valid_to < today;

function list() {
  const typed = words.trim().toLowerCase();
  const fits = (each) => Number(Boolean(typed) && each.title.includes(typed));
  const rows = all.filter((each) => !typed || [each.title, each.name, each.text, each.owner].some((part) => part.toLowerCase().includes(typed)))
    .sort((a, b) => expired(b) - expired(a) || fits(b) - fits(a) || a.file.localeCompare(b.file));
  fill(byId("answers"), rows.map((each) => el("li", { class: "item", "aria-current": chosen && chosen.name === each.name && chosen.number === each.number ? "true" : null },
    el("button", { type: "button", class: "item-main", onclick: () => show(each) },
      el("span", { class: "item-text" }, each.title || each.text, each.number ? ` · 第${each.number + 1}种说法` : ""),
      el("span", { class: "item-facts" }, expired(each) ? tag("已过有效期", "bad") : null, each.faults ? tag(`${each.faults}处提示`, "high") : null,
        el("span", { class: "dim" }, [each.owner, each.name.replace(/^utter_/, "")].filter(Boolean).join(" · ")))))));
  if (!rows.length) fill(byId("answers"), el("li", {}, empty("没有找到回答。")));
}

/** A box to write an answer in, with its faults and how patients see it; gives {nodes, text, refresh}. */
function writer(start, own) {
  const text = el("textarea", { rows: "7", maxlength: "1200", "aria-describedby": "answer-faults", value: start });
  const faults = el("div", { id: "answer-faults", class: "findings", role: "status" });
  const widget = el("div", { class: "bubble" });
  const wechat = el("div", { class: "bubble" });
  const refresh = async () => {
    const asked = text.value;
    const found = await attempt(() => post("answers/check", { text: asked, variables: own }));
    if (!found || asked !== text.value) return;
    fill(faults, found.problems.map((each) => el("p", { class: `finding${each.stops ? " stops" : ""}` }, tag(each.rule, each.stops ? "bad" : "high"), el("span", {}, el("b", {}, each.fragment), " ", each.advice))),
      found.problems.length ? null : el("p", { class: "finding fine" }, tag("符合用语规范", "good")));
    widget.textContent = found.filled;
    wechat.textContent = found.filled;
  };
  text.addEventListener("input", later(refresh, 300));
  const insert = (name) => press(`{${name}}`, () => {
    text.setRangeText(`{${name}}`, text.selectionStart, text.selectionEnd, "end");
    text.focus();
    refresh();
  }, "chip");
  const nodes = [field("回答", text, "wide"), el("div", { class: "row field wide", role: "group", "aria-label": "可用变量" }, el("span", { class: "dim" }, "可用变量"), [...own, ...variables].map(insert)),
    el("div", { class: "field wide" }, faults),
    el("div", { class: "previews field wide" }, el("figure", { class: "preview widget" }, el("figcaption", {}, "网页聊天"), widget), el("figure", { class: "preview wechat" }, el("figcaption", {}, "微信"), wechat))];
  return { nodes, text, refresh };
}

function show(each) {
  chosen = each;
  list();
  root.dataset.view = "work";
  const writing = writer(each.text, each.variables);
  const owner = el("input", { maxlength: "30", value: each.owner });
  const until = el("input", { type: "date", value: each.valid_to });
  const save = async () => {
    const body = { name: each.name, number: each.number, before: each.text, text: writing.text.value, owner: owner.value, valid_to: until.value };
    if (!(await attempt(() => post("answers", body)))) return;
    toast("已保存。上线模型或重启服务后，患者会看到新的回答。");
    await load();
  };
  fill(byId("work"), el("div", { class: "work-head" }, press("返回列表", () => (root.dataset.view = "list"), "quiet small back"), el("h2", {}, nameOf(each)), el("p", { class: "dim" }, `${each.name} · nlu_data/${each.file}`)),
    el("form", { class: "fields", onsubmit: (event) => { event.preventDefault(); save(); } }, writing.nodes, field("负责科室", owner), field("有效期至", until),
      el("div", { class: "row end field wide save-row" }, el("button", { type: "submit", class: "primary" }, "保存回答"))));
  writing.refresh();
}

function ask() {
  chosen = null;
  list();
  root.dataset.view = "work";
  const title = el("input", { maxlength: "20", required: true, placeholder: "夜间门诊" });
  const code = el("input", { maxlength: "40", required: true, placeholder: "night_clinic", pattern: "[a-z][a-z0-9_]{2,39}", autocomplete: "off" });
  const lines = el("textarea", { rows: "9", required: true, placeholder: "一行一句，用患者自己的话写，至少12句" });
  const counted = el("p", { class: "dim", role: "status" }, "0句");
  const owner = el("input", { maxlength: "30", required: true });
  const until = el("input", { type: "date", required: true });
  const writing = writer("", []);
  const given = () => [...new Set(lines.value.split("\n").map((line) => line.trim()).filter(Boolean))];
  lines.addEventListener("input", () => (counted.textContent = `${given().length}句不同的例句${given().length < 12 ? `，还差${12 - given().length}句` : ""}`));
  const save = async () => {
    const body = { key: code.value, title: title.value, examples: given(), text: writing.text.value, owner: owner.value, valid_to: until.value };
    const made = await attempt(() => post("questions", body));
    if (!made) return;
    toast("已新增。训练并上线后，患者就能问到。");
    await Promise.all([attempt(loadLabels), load()]);
    if (root.isConnected) show(all.find((each) => each.name === `utter_${made.label}`));
  };
  fill(byId("work"), el("div", { class: "work-head" }, press("返回列表", () => (root.dataset.view = "list"), "quiet small back"), el("h2", {}, "新增常见问题"), el("p", { class: "dim" }, "填好例句和回答即可，不用改程序。")),
    el("form", { class: "fields", id: "new-question", onsubmit: (event) => { event.preventDefault(); save(); } },
      field("中文名称", title), field("代号（小写英文）", code), el("div", { class: "field wide" }, el("label", { for: "new-lines" }, "患者会怎么问"), lines, counted),
      writing.nodes, field("负责科室", owner), field("有效期至", until),
      el("div", { class: "row end field wide save-row" }, el("button", { type: "submit", class: "primary" }, "保存新问题"))));
  lines.id = "new-lines";
  title.focus();
}
