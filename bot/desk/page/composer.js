// The box for the answer: drafts of each conversation, advice on the wording, pictures, what the bot would say.

import { get, post } from "./api.js";
import * as canned from "./canned.js";
import { opened, toEnd } from "./chat.js";
import { byId, el, fill, press, toast } from "./dom.js";
import { adviceList, ask } from "./forms.js";
import { fitted } from "./picture.js";
import { show as showQuota, usedUp } from "./quota.js";
import { send } from "./sending.js";
import { attempt, me } from "./session.js";

const PAUSE = 700; // milliseconds without a key before the wording is looked at
const TYPING = 4000; // the patient sees "正在输入" for 6 s after each sign

const drafts = new Map(); // conversation → what was typed and not sent; gone with the page
let warned = null; // {chat, text}: the draft that the server refused once
let checking = 0;
let typed = 0;
let proposed = 0; // the newest wish for a suggestion wins

const box = () => byId("draft");

/** Bring the draft of the conversation that was just opened; `last` is the one before. */
export function turnTo(chat, last = null) {
  if (last !== (chat?.id ?? null)) {
    if (last) drafts.set(last, box().value);
    box().value = (chat && drafts.get(chat.id)) ?? "";
    clearAdvice();
    showLength();
  }
  canned.hide();
  byId("suggestion").hidden = true;
  showQuota(chat?.mine ? chat.quota : null);
  if (chat?.mine) {
    suggest(chat.id);
    canned.load(chat.id);
  }
}

export const empty = () => !box().value.trim();

export function forget() {
  drafts.clear();
  box().value = "";
  clearAdvice();
}

/** Ask what the bot would answer to the patient's last line. */
export async function suggest(id) {
  proposed += 1;
  const wish = proposed;
  const found = await get(`chats/${id}/suggestion`).catch(() => null);
  const given = found?.suggestion;
  if (wish !== proposed || opened()?.id !== id) return;
  byId("suggestion").hidden = !given;
  if (!given) return;
  const sure = typeof given.confidence === "number" ? `，把握 ${Math.round(given.confidence * 100)}%` : "";
  fill(byId("suggestion"),
    el("span", { class: "dim" }, `参考回复（${given.label_name}${sure}）`),
    el("p", { class: "told" }, given.text),
    press("采用", () => put(given.text), "small plainly"),
    press("收起", () => (byId("suggestion").hidden = true), "small quiet"));
}

/** Put words into the box, after what stands there already. */
export function put(text) {
  const rest = box().value.trim();
  box().value = rest ? `${rest}\n${text}` : text;
  byId("suggestion").hidden = true;
  box().focus();
  box().dispatchEvent(new Event("input"));
}

function submit() {
  const chat = opened();
  const text = box().value.trim();
  if (!text || !chat?.mine || usedUp()) return;
  const despite = warned?.chat === chat.id && warned.text === text;
  box().value = "";
  clearAdvice();
  showLength();
  canned.hide();
  byId("suggestion").hidden = true;
  sign(false);
  send(chat.id, { text, despite });
  toEnd();
}

// ---- advice on the wording

/** The server sent nothing: the words come back with what the rules say. */
export function advise(id, line, warnings) {
  const back = (rest) => (rest ? `${line.text}\n${rest}` : line.text);
  if (opened()?.id !== id) {
    drafts.set(id, back(drafts.get(id)));
    toast("有一条回复有用语提示，还没有发出，请回到会话查看。");
    return;
  }
  box().value = back(box().value.trim());
  warned = { chat: id, text: box().value.trim() };
  showAdvice(warnings, "发送前请看一下用语提示：", "修改后发送；确认无需修改，请再按一次“发送”。");
  byId("send").textContent = "仍然发送";
  box().focus();
}

function showAdvice(warnings, head, foot) {
  fill(byId("advice"), el("p", { class: "advice-head" }, head), adviceList(warnings), foot && el("p", { class: "advice-foot" }, foot));
}

function clearAdvice() {
  warned = null;
  clearTimeout(checking);
  fill(byId("advice"));
  byId("send").textContent = "发送";
}

async function check() {
  const chat = opened();
  const text = box().value.trim();
  if (!chat?.mine || !text || text.startsWith("/") || warned) return;
  const found = await post(`chats/${chat.id}/check`, { text }).catch(() => null);
  if (!found || opened()?.id !== chat.id || box().value.trim() !== text || warned) return;
  if (found.warnings.length) showAdvice(found.warnings, "用语提示：", "");
  else fill(byId("advice"));
}

function showLength() {
  const length = [...box().value].length;
  const limit = me?.max_characters ?? 4000;
  byId("length").hidden = length < limit * 0.9;
  byId("length").textContent = `${length}/${limit}字`;
  byId("length").classList.toggle("over", length > limit);
}

// ---- typing

/** Let the patient see that somebody writes; said again only while it goes on. */
function sign(writes) {
  const chat = opened();
  const moment = Date.now();
  if (!chat?.mine || (writes ? moment - typed < TYPING : !typed)) return;
  typed = writes ? moment : 0;
  post(`chats/${chat.id}/typing`, { typing: writes }).catch(() => {});
}

byId("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
  box().focus();
});

box().addEventListener("input", () => {
  if (warned && box().value.trim() !== warned.text) clearAdvice();
  showLength();
  canned.look(box().value);
  sign(box().value.trim() !== "");
  clearTimeout(checking);
  if (!box().value.trim()) fill(byId("advice"));
  else checking = setTimeout(check, PAUSE);
});

box().addEventListener("keydown", (event) => {
  // While an input method composes, Enter picks a word; some browsers tell it only by 229.
  if (event.isComposing || event.keyCode === 229) return;
  if (canned.key(event)) return;
  if (event.key !== "Enter" || event.shiftKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  if (event.ctrlKey) {
    box().setRangeText("\n", box().selectionStart, box().selectionEnd, "end");
    box().dispatchEvent(new Event("input"));
  } else submit();
});

box().addEventListener("blur", () => sign(false));
canned.begin(box(), byId("canned"));
byId("canned-open").addEventListener("click", () => {
  box().focus();
  canned.all();
});

// ---- pictures

async function offer(file) {
  const chat = opened();
  if (!chat?.mine || !file || usedUp()) return;
  const small = await attempt(() => fitted(file));
  if (!small) return;
  const preview = el("img", { class: "preview", alt: "要发送的图片", src: URL.createObjectURL(small) });
  await ask({
    title: "发送图片",
    lead: "请确认图片里没有其他患者的信息。",
    body: preview,
    fields: [{ name: "alt", label: "图片说明", required: true, maxlength: 80, hint: "看不到图片的患者会听到这句说明，例如：门诊三楼到检验科的路线图", wide: true }],
    done: "发送",
    save: async ({ alt }) => {
      send(chat.id, { text: alt, file: small });
      toEnd();
    },
  });
  URL.revokeObjectURL(preview.src);
  box().focus();
}

byId("picture").addEventListener("click", () => byId("picture-file").click());
byId("picture-file").addEventListener("change", (event) => {
  offer(event.target.files[0]);
  event.target.value = "";
});
box().addEventListener("paste", (event) => {
  const file = [...event.clipboardData.files].find((each) => each.type.startsWith("image/"));
  if (!file) return;
  event.preventDefault();
  offer(file);
});
