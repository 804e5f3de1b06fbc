// The open conversation: who holds it and what was said.

import { BASE } from "./api.js";
import { byId, el, facts, press, tag } from "./dom.js";
import { lineOf, pendingOf, drop, again } from "./sending.js";
import { may } from "./session.js";
import { dayText, timeText } from "./times.js";

const NEAR = 60; // pixels from the end that still count as being there

let chat = null; // what is open
let stuck = true; // the newest line is in view
let unmaskLine = () => {};

export const opened = () => chat;

/** Say what the button beside a masked line does. */
export function begin(unmask) {
  unmaskLine = unmask;
}

/** Show a conversation as the server gave it. `stay` keeps the reading place (a refetch). */
export function show(found, { stay = false } = {}) {
  const same = chat?.id === found.id;
  chat = { ...found, last: found.lines.at(-1)?.seq ?? 0, first: found.lines[0]?.seq ?? 0 };
  byId("nothing").hidden = true;
  byId("open").hidden = false;
  byId("log").replaceChildren();
  byId("earlier").hidden = !found.more;
  add(found.lines);
  showPending();
  if (!same) note("");
  state(found);
  marks(found.read, false);
  if (!stay || !same) toEnd();
}

export function close() {
  chat = null;
  byId("open").hidden = true;
  byId("nothing").hidden = false;
  byId("log").replaceChildren();
}

/** Show who holds the conversation and what can be done. */
export function state(held) {
  const was = chat.holder === "agent" && chat.mine;
  Object.assign(chat, { holder: held.holder, holder_name: held.holder_name, mine: held.mine, quota: held.quota, talks: held.talks });
  const where = held.mine ? "由您接待" : { bot: "智能客服接待中", queue: "排队中，智能客服仍在回答" }[held.holder] ?? `${held.holder_name}接待中`;
  byId("chat-name").textContent = chat.name ?? chat.visitor;
  byId("chat-state").textContent = [chat.channel, where, held.holder === "queue" ? chat.reason : ""].filter(Boolean).join("　");
  const serves = may("serve");
  byId("take").hidden = !serves || held.mine || !(held.holder === "queue" || (held.holder === "bot" && !may("see_all")));
  byId("take-over").hidden = !may("see_all") || held.mine || held.holder === "queue";
  byId("transfer").hidden = !held.mine;
  byId("give-back").hidden = !held.mine;
  byId("composer").hidden = !held.mine;
  if (was && !held.mine) note(held.holder === "agent" ? `这个会话已由${held.holder_name}接待。` : "这个会话已不由您接待。");
  if (held.mine) note("");
}

export function note(text) {
  byId("chat-note").textContent = text;
  byId("chat-note").hidden = !text;
}

/** Show how far the patient has got and read, and whether he types. */
export function marks(read, typing) {
  if (read) chat.read = read;
  byId("typing").hidden = !typing;
  if (!chat.read) return;
  for (const row of byId("log").querySelectorAll(".said.agent[data-seq]")) {
    const seq = Number(row.dataset.seq);
    const text = seq <= chat.read.patient_read ? "已读" : seq <= chat.read.patient_got ? "已送达" : "已发送";
    const place = row.querySelector(".mark");
    if (place.textContent !== text) place.textContent = text;
  }
}

/** Add lines that came; false when one is missing in between and all must be fetched again. */
export function receive(lines) {
  const fresh = lines.filter((line) => line.seq > chat.last);
  if (!fresh.length) return true;
  if (fresh[0].seq !== chat.last + 1) return false;
  const stick = atEnd();
  add(fresh);
  chat.last = fresh.at(-1).seq;
  showPending();
  if (stick) toEnd();
  else byId("to-end").hidden = false;
  return true;
}

export function prepend(found) {
  const box = byId("log-box");
  const before = box.scrollHeight;
  byId("log").prepend(...withDays(found.lines));
  chat.first = found.lines[0]?.seq ?? chat.first;
  byId("earlier").hidden = !found.more;
  box.scrollTop += box.scrollHeight - before;
  marks(chat.read, !byId("typing").hidden);
}

/** Bring a line into view, such as one that a search has found; false when it is further up. */
export function reveal(seq) {
  const row = byId("log").querySelector(`[data-seq="${seq}"]`);
  if (!row) return false;
  row.scrollIntoView({ block: "center" });
  row.classList.add("found-line");
  setTimeout(() => row.classList.remove("found-line"), 4000);
  return true;
}

function add(lines) {
  for (const line of lines) if (line.sender === "agent") lineOf(chat.id, line.client_id);
  byId("log").querySelectorAll(".pending").forEach((row) => row.remove());
  byId("log").append(...withDays(lines, byId("log").lastElementChild?.dataset.day));
}

function withDays(lines, day) {
  const rows = [];
  for (const line of lines) {
    const its = dayText(line.at);
    if (its !== day) {
      rows.push(el("li", { class: "day", "data-day": its }, el("span", {}, its)));
      day = its;
    }
    const row = lineRow(line);
    row.dataset.day = its;
    rows.push(row);
  }
  return rows;
}

function lineRow(line) {
  const danger = line.danger && (line.danger.definite ? "danger" : "doubt");
  const masked = line.sender === "patient" && line.text.includes("*") && may("unmask");
  return el("li", { class: ["said", line.sender, danger].filter(Boolean).join(" "), "data-seq": line.seq },
    el("p", { class: "by" },
      el("b", {}, line.who), el("time", { datetime: line.at }, timeText(line.at)),
      line.sender === "patient" && line.danger && tag(`危险信号：${line.danger.name}`, line.danger.definite ? "danger" : "high"),
      line.intent && el("span", { class: "intent", title: "智能客服的理解和把握" },
        `理解为 ${line.intent}`, typeof line.confidence === "number" && ` ${Math.round(line.confidence * 100)}%`),
      line.entities?.length > 0 && heard(line.entities),
      line.failed && tag("回复失败，已致歉", "high"),
      line.sender === "agent" && el("span", { class: "mark" }, "已发送")),
    line.text && !(line.picture && line.sender === "patient") && el("div", { class: "bubble" }, line.text),
    line.picture && picture(line),
    line.buttons.length > 0 && el("p", { class: "choices" }, el("span", { class: "unseen" }, "选项："), line.buttons.map((title) => el("span", {}, title))),
    masked && press("查看原文", () => unmaskLine(line.seq), "small link-like"));
}

/** What was heard in the patient's words, shown when somebody asks for it. */
const heard = (entities) =>
  el("details", { class: "heard" }, el("summary", {}, `听到${entities.length}项`),
    facts(entities.map(({ name, text, read }) => [name, read ? `${text} → ${read}` : text])));

function picture(line) {
  const address = `${BASE}chats/${chat.id}/pictures/${line.picture}`;
  return el("a", { class: "image", href: address, target: "_blank", rel: "noopener" },
    el("img", { src: address, alt: line.image, loading: "lazy" }), el("span", {}, line.image));
}

/** Show the lines that the server has not confirmed. */
export function showPending() {
  byId("log").querySelectorAll(".pending").forEach((row) => row.remove());
  if (chat) byId("log").append(...pendingOf(chat.id).map(pendingRow));
}

/** Tell whether the server's own copy of a line stands there already. */
export const hasLine = (seq) => Boolean(byId("log").querySelector(`[data-seq="${seq}"]`));

function pendingRow(line) {
  const id = chat.id;
  return el("li", { class: `said agent pending ${line.state}` },
    el("p", { class: "by" }, el("b", {}, "我"), el("time", { datetime: line.at }, timeText(line.at)), el("span", { class: "send-state" }, line.note)),
    el("div", { class: "bubble" }, line.file ? `［图片］${line.text}` : line.text),
    line.state === "failed" && el("p", { class: "again" },
      line.retry && press("重新发送", () => again(id, line), "small plainly"),
      press("取消发送", () => drop(id, line), "small quiet")));
}

// ---- scrolling

const atEnd = () => {
  const box = byId("log-box");
  return box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
};

export function toEnd() {
  const box = byId("log-box");
  box.scrollTop = box.scrollHeight;
  stuck = true;
  byId("to-end").hidden = true;
}

byId("to-end").addEventListener("click", toEnd);
byId("log-box").addEventListener("scroll", () => {
  stuck = atEnd();
  if (stuck) byId("to-end").hidden = true;
}, { passive: true });
// The box under the talk grows and shrinks: who reads the newest line goes on reading it.
new ResizeObserver(() => stuck && toEnd()).observe(byId("log-box"));
