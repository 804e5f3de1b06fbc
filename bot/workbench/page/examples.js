// Training examples: found by intent or words, changed or taken out where they stand.

import { attempt, get, post } from "./api.js";
import { byId, closeDialog, dialog, el, empty, fill, later, pick, press, toast } from "./dom.js";
import { labelling } from "./labelling.js";
import { entities, labels, loadLabels, titleOf } from "./words.js";

const filter = { label: "", words: "" };
let found = { total: 0, examples: [] };

export async function open(main, label) {
  if (label) filter.label = label;
  const rows = [["", "全部意图"], ...labels.map((each) => [each.label, `${each.group} · ${each.title}（${each.examples}）`])];
  fill(main, el("section", { class: "page", "aria-label": "例句" },
    el("div", { class: "page-head" }, el("h2", {}, "例句"),
      pick(rows, filter.label, (event) => { filter.label = event.target.value; load(); }, { "aria-label": "意图" }),
      el("input", { type: "search", placeholder: "搜索例句", "aria-label": "搜索例句", value: filter.words, oninput: later((event) => { filter.words = event.target.value; load(); }) })),
    el("p", { class: "dim", id: "total" }), el("ul", { class: "example-list", id: "examples" }),
    el("p", { class: "centre" }, press("显示更多", more, "quiet", { id: "more", hidden: true }))));
  await load();
}

async function load() {
  const answer = await attempt(() => get("examples", filter));
  if (!answer || !byId("examples")) return;
  found = answer;
  draw();
}

async function more() {
  const answer = await attempt(() => get("examples", { ...filter, start: found.examples.length }));
  if (!answer || !byId("examples")) return;
  found = { ...answer, examples: [...found.examples, ...answer.examples] };
  draw();
}

function draw() {
  byId("total").textContent = `共${found.total}条`;
  fill(byId("examples"), found.examples.map((each) => el("li", {},
    el("button", { type: "button", class: "example", onclick: () => edit(each) }, el("span", {}, shown(each)),
      el("span", { class: "dim" }, `${each.title} · ${each.file} 第${each.line + 1}行`)))));
  if (!found.examples.length) fill(byId("examples"), el("li", {}, empty("没有找到例句。")));
  byId("more").hidden = found.examples.length >= found.total;
}

function shown(each) {
  const letters = Array.from(each.plain);
  const out = [];
  let at = 0;
  for (const span of each.spans) {
    out.push(letters.slice(at, span.start).join(""), el("mark", { title: entities[span.entity] ?? span.entity }, letters.slice(span.start, span.end).join("")));
    at = span.end;
  }
  return [...out, letters.slice(at).join("")];
}

function edit(each) {
  const save = press("保存", () => write(editor.line()), "primary", { disabled: true });
  const editor = labelling({ onchange: () => (save.disabled = !editor.line()) });
  const write = async (line) => {
    const body = { file: each.file, label: each.label, old: each.text, new_label: line?.label ?? each.label, text: line?.text ?? "", spans: line?.spans ?? [] };
    if (!(await attempt(() => post("examples", body)))) return;
    closeDialog();
    toast(line ? "已保存，文件里只改了这一行。" : "已删除这条例句。");
    await attempt(loadLabels);
    load();
  };
  let sure = false;
  const gone = press("删除例句", () => {
    if (sure) write(null);
    sure = true;
    gone.textContent = "确认删除？";
  }, "quiet");
  dialog("修改例句", el("p", { class: "dim" }, `${titleOf(each.label)} · nlu_data/${each.file}`), editor.box,
    el("p", { class: "row end" }, gone, press("取消", closeDialog, "plainly"), save));
  editor.open({ text: each.plain, label: each.label, spans: each.spans, besides: each.text, file: each.file });
}
