// One sentence: words to click or drag over, entities, intent, what speaks against it. Offsets are Unicode code points.

import { attempt, post } from "./api.js";
import { composing, el, fill, key, later, press, tag } from "./dom.js";
import { entities, labelOf, proposals, search, titleOf, used } from "./words.js";

const points = (text) => Array.from(text);
const KIND = { conflict: "冲突", same: "重复", near: "相近", near_other: "相近", nothing: "学不到", unmarked: "漏标", marked_otherwise: "标法不同" };

/** Make an editor. given: {onsave(line), onchange()}. */
export function labelling(given) {
  const box = el("section", { class: "labelling", "aria-label": "标注" });
  let state = null;

  const check = later(async () => {
    if (!state?.label) return;
    const mine = state;
    const sure = mine.guess === mine.label ? mine.confidence : null;
    const asked = { text: mine.text, label: mine.label, spans: mine.spans, confidence: sure };
    if (mine.besides) asked.besides = mine.besides;
    const found = await attempt(() => post("check", asked));
    if (!found || mine !== state) return;
    state.findings = found.findings;
    state.checked = true;
    drawFindings();
    given.onchange?.();
  }, 120);

  /** Show a sentence: {text, guess, confidence, label, spans, besides}. */
  async function open(line) {
    state = { key: line.key, text: line.text, guess: line.guess ?? null, confidence: line.confidence ?? null, label: line.label ?? null,
      spans: line.spans ?? [], besides: line.besides ?? "", words: [], usual: [], near: [], file: line.file ?? "", sel: null, findings: [], checked: false };
    draw();
    await cut();
  }

  async function cut() {
    const mine = state;
    const found = await attempt(() => post("cut", { text: mine.text }));
    if (!found || mine !== state) return;
    if (found.text !== mine.text) mine.spans = [];
    Object.assign(mine, { text: found.text, words: found.words, usual: found.usual, near: found.near });
    draw();
    check();
  }

  function draw() {
    fill(
      box,
      sentence(),
      el("div", { class: "row marks-row" },
        press("采用建议标注", accept, "plainly small", { id: "accept", "aria-keyshortcuts": "A", disabled: !open_suggestions().length }),
        press("改文字", editText, "plainly small"),
        el("span", { class: "dim" }, "点选或拖选词语后标注；不要留下真实姓名。")),
      palette(),
      intents(),
      el("div", { class: "findings", id: "findings", role: "status" }),
    );
    drawFindings();
  }

  // ---- the sentence

  function edges() {
    const cuts = new Set([0, points(state.text).length]);
    for (const [start, end] of state.words) cuts.add(start).add(end);
    for (const span of state.spans) cuts.add(span.start).add(span.end);
    if (state.sel) cuts.add(state.sel[0]).add(state.sel[1]);
    return [...cuts].sort((a, b) => a - b);
  }

  function sentence() {
    const letters = points(state.text);
    const places = edges();
    const pieces = places.slice(0, -1).map((start, at) => {
      const end = places[at + 1];
      const span = state.spans.find((each) => each.start <= start && end <= each.end);
      const hint = !span && state.usual.find((each) => each.start <= start && end <= each.end);
      const chosen = state.sel && state.sel[0] <= start && end <= state.sel[1];
      const look = `piece${span ? " marked" : ""}${hint ? " hinted" : ""}${chosen ? " chosen" : ""}`;
      const name = span && span.start === start ? entities[span.entity] : null;
      return el("span", { class: look, role: "option", tabindex: "-1", "aria-selected": Boolean(chosen).toString(), "data-start": start, "data-end": end,
        "aria-label": span ? `${letters.slice(start, end).join("")}，已标为${entities[span.entity]}` : null },
      name ? el("span", { class: "mark-name", "data-name": name, "aria-hidden": "true" }) : null, letters.slice(start, end).join(""));
    });
    const list = el("div", { class: "sentence", role: "listbox", "aria-multiselectable": "true", "aria-label": "句子", tabindex: "0",
      onmouseup: picked, onkeydown: moved }, pieces);
    return list;
  }

  function offset(node, at) {
    const piece = (node.nodeType === Node.TEXT_NODE ? node.parentElement : node).closest(".piece");
    if (!piece) return null;
    if (node.nodeType !== Node.TEXT_NODE) return Number(piece.dataset.start);
    return Number(piece.dataset.start) + points(node.data.slice(0, at)).length;
  }

  function picked(event) {
    const choice = getSelection();
    if (choice && !choice.isCollapsed) {
      const ends = [offset(choice.anchorNode, choice.anchorOffset), offset(choice.focusNode, choice.focusOffset)];
      choice.removeAllRanges();
      if (ends.includes(null) || ends[0] === ends[1]) return;
      select(Math.min(...ends), Math.max(...ends));
      return;
    }
    const piece = event.target.closest(".piece");
    if (!piece) return;
    const [start, end] = [Number(piece.dataset.start), Number(piece.dataset.end)];
    const span = state.spans.find((each) => each.start <= start && end <= each.end);
    if (span) select(span.start, span.end);
    else if (event.shiftKey && state.sel) select(Math.min(state.sel[0], start), Math.max(state.sel[1], end));
    else if (state.sel && state.sel[0] === start && state.sel[1] === end) select(null);
    else select(start, end);
  }

  function moved(event) {
    if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    const places = edges();
    const right = event.key === "ArrowRight";
    const [from, to] = state.sel ?? [0, 0];
    if (event.shiftKey && state.sel) {
      const next = right ? places.find((each) => each > to) : [...places].reverse().find((each) => each < to);
      if (next !== undefined && next > from) select(from, next);
      return;
    }
    const at = right ? (state.sel ? to : 0) : from;
    const start = right ? at : [...places].reverse().find((each) => each < at);
    const end = right ? places.find((each) => each > at) : at;
    if (start !== undefined && end !== undefined) select(start, end);
  }

  function select(start, end) {
    state.sel = start === null ? null : [start, end];
    redraw();
  }

  function redraw() {
    const old = box.querySelector(".sentence");
    const focused = old?.contains(document.activeElement);
    draw();
    if (focused || state.sel) box.querySelector(".sentence").focus();
  }

  // ---- entities

  const overlaps = (a, b) => a.start < b.end && b.start < a.end;

  function order() {
    const letters = points(state.text);
    const word = state.sel ? letters.slice(...state.sel).join("") : "";
    const usual = state.usual.filter((each) => state.sel && overlaps(each, { start: state.sel[0], end: state.sel[1] })).map((each) => each.entity);
    return [...new Set([...(word ? usual : []), ...Object.keys(entities)])];
  }

  function palette() {
    const buttons = order().map((kind, at) =>
      press([entities[kind], at < 9 ? key(at + 1) : null], () => mark(kind), "plainly small", { disabled: !state.sel, "data-entity": kind }));
    const has = state.sel && state.spans.some((each) => overlaps(each, { start: state.sel[0], end: state.sel[1] }));
    return el("div", { class: `palette${state.sel ? " active" : ""}`, role: "group", "aria-label": "标注为" },
      buttons, press(["取消标注", key("Del")], unmark, "quiet small", { disabled: !has }));
  }

  function mark(kind) {
    if (!state.sel) return;
    const span = { start: state.sel[0], end: state.sel[1], entity: kind };
    state.spans = [...state.spans.filter((each) => !overlaps(each, span)), span].sort((a, b) => a.start - b.start);
    state.sel = null;
    touched();
  }

  function unmark() {
    if (!state.sel) return;
    const chosen = { start: state.sel[0], end: state.sel[1] };
    state.spans = state.spans.filter((each) => !overlaps(each, chosen));
    state.sel = null;
    touched();
  }

  const open_suggestions = () => state.usual.filter((each) => !state.spans.some((span) => overlaps(span, each)));

  function accept() {
    state.spans = [...state.spans, ...open_suggestions()].sort((a, b) => a.start - b.start);
    touched();
  }

  function touched() {
    state.checked = false;
    redraw();
    check();
  }

  function editText() {
    const input = el("textarea", { rows: "3", maxlength: "500", "aria-label": "句子文字", value: state.text });
    const done = async () => {
      state.text = input.value;
      state.spans = [];
      state.sel = null;
      await cut();
    };
    fill(box.querySelector(".marks-row"), input, press("完成", done, "primary small"));
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !composing(event)) {
        event.preventDefault();
        done();
      }
    });
    input.focus();
  }

  // ---- intents

  function intents() {
    const shown = proposals(state.guess, state.near);
    if (state.label && !shown.includes(state.label)) shown.unshift(state.label);
    const buttons = shown.slice(0, 9).map((name, at) =>
      press([titleOf(name), key(at + 1)], () => choose(name), `intent${state.label === name ? " chosen" : ""}`, { "aria-pressed": (state.label === name).toString(), title: name }));
    const list = el("ul", { class: "hits", id: "hits", role: "listbox", "aria-label": "意图", hidden: true });
    const input = el("input", { id: "intent-search", type: "search", placeholder: "查找意图：停车、tc、parking", autocomplete: "off", role: "combobox",
      "aria-expanded": "false", "aria-controls": "hits", "aria-label": "查找意图", "aria-keyshortcuts": "/" });
    input.addEventListener("input", () => offer(input, list));
    input.addEventListener("keydown", (event) => chooseByKey(event, input, list));
    const known = labelOf(state.label);
    const files = known && known.files.length > 1
      ? el("label", { class: "row dim" }, "写入文件", el("select", { class: "file", onchange: (event) => (state.file = event.target.value) },
        known.files.map((file) => el("option", { value: file, selected: file === state.file }, file))))
      : known ? el("p", { class: "dim" }, `写入 nlu_data/${known.files[0]}，现有${known.examples}条`) : null;
    return el("div", { class: "intents" },
      el("h3", {}, "意图", state.label ? el("span", { class: "now" }, titleOf(state.label)) : el("span", { class: "dim" }, "请选择")),
      el("div", { class: "row", role: "group", "aria-label": "建议的意图" }, buttons),
      el("div", { class: "search-box" }, input, list), files);
  }

  function offer(input, list) {
    const found = search(input.value);
    fill(list, found.map((each, at) =>
      el("li", { role: "option", id: `hit-${at}`, "aria-selected": (at === 0).toString(), "data-label": each.label, onmousedown: (event) => {
        event.preventDefault();
        choose(each.label);
      } }, el("b", {}, each.title), el("span", { class: "dim" }, `${each.group} · ${each.label} · ${each.examples}条`))));
    list.hidden = !found.length;
    input.setAttribute("aria-expanded", String(Boolean(found.length)));
    if (found.length) input.setAttribute("aria-activedescendant", "hit-0");
  }

  function chooseByKey(event, input, list) {
    if (composing(event)) return;
    const rows = [...list.children];
    const at = rows.findIndex((row) => row.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const next = Math.min(Math.max(at + (event.key === "ArrowDown" ? 1 : -1), 0), rows.length - 1);
      rows.forEach((row, number) => row.setAttribute("aria-selected", String(number === next)));
      rows[next]?.scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", `hit-${next}`);
    } else if (event.key === "Enter" && rows[at]) {
      event.preventDefault();
      choose(rows[at].dataset.label);
    } else if (event.key === "Escape") {
      event.preventDefault();
      input.blur();
      list.hidden = true;
      box.querySelector(".sentence").focus();
    }
  }

  function choose(name) {
    state.label = name;
    state.file = "";
    state.checked = false;
    used(name);
    draw();
    box.querySelector(".sentence").focus();
    check();
    given.onchange?.();
  }

  // ---- what speaks against it

  function drawFindings() {
    const place = box.querySelector("#findings");
    if (!state.label) {
      fill(place);
      return;
    }
    fill(place, state.findings.map((each) =>
      el("p", { class: `finding${each.stops ? " stops" : ""}` }, tag(KIND[each.kind], each.stops ? "bad" : each.kind.startsWith("near") || each.kind === "nothing" ? "high" : "info"),
        el("span", {}, each.text, each.example ? el("span", { class: "dim" }, `：${plain(each.example.text)}（${each.example.title}）`) : null))),
    state.checked && !state.findings.length ? el("p", { class: "finding fine" }, tag("可以保存", "good")) : null);
  }

  const stops = () => state.findings.some((each) => each.stops);

  /** What is to be saved, null while an intent is missing or something stops it. */
  const line = () => (state?.label && !stops() ? { key: state.key, text: state.text, label: state.label, file: state.file, spans: state.spans } : null);

  /** A key that was pressed anywhere on the page; true when it was ours. */
  function pressKey(event) {
    if (!state) return false;
    const number = /^[1-9]$/.test(event.key) ? Number(event.key) : 0;
    if (number && state.sel) {
      const kind = order()[number - 1];
      if (kind) mark(kind);
      return true;
    }
    if (number) {
      box.querySelectorAll(".intent")[number - 1]?.click();
      return true;
    }
    if (event.key === "/") {
      box.querySelector("#intent-search").focus();
      return true;
    }
    if ((event.key === "Delete" || event.key === "Backspace") && state.sel) {
      unmark();
      return true;
    }
    if (event.key.toLowerCase() === "a" && open_suggestions().length) {
      accept();
      return true;
    }
    if (event.key === "Escape" && state.sel) {
      select(null);
      return true;
    }
    return false;
  }

  return { box, open, line, press: pressKey };
}

/** An example without its marks. */
export const plain = (example) => example.replace(/\[([^[\]]+)\](?:\([^()]+\)|\{[^{}]+\})/g, "$1");
