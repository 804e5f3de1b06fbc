// The open conversation: transcript, composer, sending once and in order.

import { Failure, post } from "./api.js";
import { byId, clock, dayText, el, newId, sleep, timeText, toast } from "./dom.js";

const RETRY = [800, 2500]; // milliseconds before the second and the third try
const NEAR = 60; // pixels from the end that still count as being there

const drafts = new Map(); // conversation → what was typed and not sent; gone with the page
const sending = new Map(); // conversation → lines that the server has not confirmed, oldest first
const queues = new Map(); // conversation → promise of the line before: order is kept
let chat = null; // what is open
let warned = null; // {chat, text}: the draft that the advice under the box is about

export const opened = () => chat;
export const unsent = () => [...sending.values()].reduce((count, lines) => count + lines.length, 0);

/** Show a conversation as the server gave it. `stay` keeps the reading place (a refetch). */
export function show(found, { stay = false } = {}) {
  const same = chat?.id === found.id;
  if (chat && !same) drafts.set(chat.id, byId("draft").value);
  chat = { ...found, last: found.lines.at(-1)?.seq ?? 0, first: found.lines[0]?.seq ?? 0 };
  byId("nothing").hidden = true;
  byId("open").hidden = false;
  byId("log").replaceChildren();
  byId("earlier").hidden = !found.more;
  add(found.lines, { jump: true });
  showSending();
  if (!same) {
    byId("draft").value = drafts.get(chat.id) ?? "";
    clearAdvice();
    note("");
  }
  state(found);
  if (!stay || !same) toEnd();
}

export function close() {
  if (chat) drafts.set(chat.id, byId("draft").value);
  chat = null;
  byId("open").hidden = true;
  byId("nothing").hidden = false;
  byId("log").replaceChildren();
}

/** Forget everything that was typed and shown: somebody else may sit down here. */
export function forget() {
  drafts.clear();
  sending.clear();
  queues.clear();
  byId("draft").value = "";
  close();
}

/** Show who holds the conversation and what can be done. */
export function state(held, supervisor = document.body.dataset.role === "supervisor") {
  const was = chat.holder === "agent" && chat.mine;
  Object.assign(chat, { holder: held.holder, holder_name: held.holder_name, mine: held.mine });
  byId("chat-name").textContent = chat.name ?? chat.visitor;
  const where = held.mine ? "由您接待" : { bot: "智能客服接待中", queue: "排队中，智能客服仍在回答" }[held.holder] ?? `${held.holder_name}接待中`;
  byId("chat-state").textContent = [chat.channel, where, held.holder === "queue" ? chat.reason : ""].filter(Boolean).join("　");
  byId("take").hidden = held.mine || !(held.holder === "queue" || (held.holder === "bot" && !supervisor));
  byId("take-over").hidden = !supervisor || held.mine || held.holder === "queue";
  byId("give-back").hidden = !held.mine;
  byId("composer").hidden = !held.mine;
  if (was && !held.mine) note(held.holder === "agent" ? `这个会话已由${held.holder_name}接管。` : "这个会话已转回智能客服。");
  if (held.mine) note("");
}

export function note(text) {
  byId("chat-note").textContent = text;
  byId("chat-note").hidden = !text;
}

/** Add lines that came; false when one is missing in between and all must be fetched again. */
export function receive(lines) {
  const fresh = lines.filter((line) => line.seq > chat.last);
  if (!fresh.length) return true;
  if (fresh[0].seq !== chat.last + 1) return false;
  const stick = atEnd();
  add(fresh);
  chat.last = fresh.at(-1).seq;
  showSending();
  if (stick) toEnd();
  else byId("to-end").hidden = false;
  return true;
}

export function prepend(found) {
  const box = byId("log-box");
  const before = box.scrollHeight;
  const rows = withDays(found.lines);
  byId("log").prepend(...rows);
  chat.first = found.lines[0]?.seq ?? chat.first;
  byId("earlier").hidden = !found.more;
  box.scrollTop += box.scrollHeight - before;
}

function add(lines) {
  const mine = sending.get(chat.id) ?? [];
  for (const line of lines) {
    const place = line.sender === "agent" ? mine.findIndex((each) => each.id === line.client_id) : -1;
    if (place >= 0) mine.splice(place, 1);
  }
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
  return el("li", { class: ["said", line.sender, danger].filter(Boolean).join(" "), "data-seq": line.seq },
    el("p", { class: "by" },
      el("b", {}, line.who), el("time", { datetime: line.at }, timeText(line.at)),
      line.sender === "patient" && line.danger &&
        el("span", { class: line.danger.definite ? "tag danger" : "tag high" }, `危险信号：${line.danger.name}`),
      line.intent && el("span", { class: "intent", title: "智能客服的理解和把握" },
        `理解为 ${line.intent}`, typeof line.confidence === "number" && ` ${Math.round(line.confidence * 100)}%`),
      line.failed && el("span", { class: "tag high" }, "回复失败，已致歉")),
    el("div", { class: "bubble" }, line.text),
    line.image && el("p", { class: "image" }, `［图片］${line.image}`),
    line.buttons.length > 0 && el("p", { class: "choices" }, el("span", { class: "unseen" }, "选项："), line.buttons.map((title) => el("span", {}, title))));
}

function showSending() {
  byId("log").querySelectorAll(".pending").forEach((row) => row.remove());
  for (const line of sending.get(chat?.id) ?? []) byId("log").append(pendingRow(line));
}

function pendingRow(line) {
  const id = chat.id;
  return el("li", { class: `said agent pending ${line.state}` },
    el("p", { class: "by" }, el("b", {}, "我"), el("time", { datetime: line.at }, timeText(line.at)), el("span", { class: "send-state" }, line.note)),
    el("div", { class: "bubble" }, line.text),
    line.state === "failed" && el("p", { class: "again" },
      line.retry && el("button", { type: "button", class: "small plainly", onclick: () => again(id, line) }, "重新发送"),
      el("button", { type: "button", class: "small quiet", onclick: () => drop(id, line) }, "取消发送")));
}

// ---- scrolling

const atEnd = () => {
  const box = byId("log-box");
  return box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
};

export function toEnd() {
  const box = byId("log-box");
  box.scrollTop = box.scrollHeight;
  byId("to-end").hidden = true;
}

byId("to-end").addEventListener("click", toEnd);
byId("log-box").addEventListener("scroll", () => atEnd() && (byId("to-end").hidden = true), { passive: true });

// ---- sending

function submit() {
  const box = byId("draft");
  const text = box.value.trim();
  if (!text || !chat?.mine) return;
  const despite = warned?.chat === chat.id && warned.text === text;
  box.value = "";
  clearAdvice();
  showLength();
  const line = { id: newId(), text, despite, state: "sending", note: "发送中……", at: new Date(clock()).toISOString(), retry: true };
  const lines = sending.get(chat.id) ?? [];
  sending.set(chat.id, [...lines, line]);
  showSending();
  toEnd();
  inOrder(chat.id, line);
}

/** One line after the other, also while the network stumbles. */
function inOrder(id, line) {
  const before = queues.get(id) ?? Promise.resolve();
  const now = before.then(() => deliver(id, line));
  queues.set(id, now);
}

async function deliver(id, line) {
  for (let tries = 0; ; tries += 1) {
    try {
      const said = await post(`chats/${id}/say`, { text: line.text, client_id: line.id, despite: line.despite });
      if (said.warnings) return advise(id, line, said.warnings);
      line.note = "已发送";
      line.state = "sent";
      if (chat?.id === id) {
        // The line itself comes with the news; until then this one stands for it.
        if (byId("log").querySelector(`[data-seq="${said.seq}"]`)) remove(id, line);
        showSending();
      } else remove(id, line);
      return undefined;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const passing = error.status === 0 || error.status >= 500;
      if (passing && tries < RETRY.length) {
        await sleep(RETRY[tries]);
        continue;
      }
      line.state = "failed";
      line.retry = passing || error.status === 401;
      line.note = passing ? "没有发出，请检查网络" : error.message;
      if (chat?.id === id) showSending();
      else toast("有一条回复没有发出，请回到会话查看。");
      return undefined;
    }
  }
}

function remove(id, line) {
  sending.set(id, (sending.get(id) ?? []).filter((each) => each !== line));
}

function again(id, line) {
  line.state = "sending";
  line.note = "发送中……";
  showSending();
  inOrder(id, line);
}

function drop(id, line) {
  remove(id, line);
  showSending();
  byId("draft").focus();
}

function advise(id, line, warnings) {
  remove(id, line);
  const back = (rest) => (rest ? `${line.text}\n${rest}` : line.text);
  if (chat?.id !== id) {
    drafts.set(id, back(drafts.get(id)));
    toast("有一条回复有用语提示，还没有发出，请回到会话查看。");
    return;
  }
  const box = byId("draft");
  const stick = atEnd();
  box.value = back(box.value.trim());
  warned = { chat: id, text: box.value.trim() };
  showSending();
  byId("advice").replaceChildren(
    el("p", { class: "advice-head" }, "发送前请看一下用语提示："),
    el("ul", {}, warnings.map((each) => el("li", {}, el("mark", {}, each.fragment), el("span", {}, each.advice)))),
    el("p", { class: "advice-foot" }, "修改后发送；确认无需修改，请再按一次“发送”。"),
  );
  byId("send").textContent = "仍然发送";
  if (stick) toEnd();
  box.focus();
}

function clearAdvice() {
  warned = null;
  byId("advice").replaceChildren();
  byId("send").textContent = "发送";
}

function showLength() {
  const limit = Number(byId("draft").dataset.limit || 4000);
  const length = [...byId("draft").value].length;
  byId("length").hidden = length < limit * 0.9;
  byId("length").textContent = `${length}/${limit}字`;
  byId("length").classList.toggle("over", length > limit);
}

byId("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
  byId("draft").focus();
});

byId("draft").addEventListener("input", () => {
  if (warned && byId("draft").value.trim() !== warned.text) clearAdvice();
  showLength();
});

byId("draft").addEventListener("keydown", (event) => {
  // While an input method composes, Enter picks a word; some browsers tell it only by 229.
  if (event.key !== "Enter" || event.isComposing || event.keyCode === 229) return;
  if (event.shiftKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  if (event.ctrlKey) {
    const box = event.target;
    box.setRangeText("\n", box.selectionStart, box.selectionEnd, "end");
    box.dispatchEvent(new Event("input"));
  } else submit();
});
