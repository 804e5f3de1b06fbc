// 停诊: stop a doctor's half-day or let it take place after all; who of the patients has been reached, who is to be called.

import { get, post, withQuery } from "./api.js";
import { el, empty, fill, press, tag, toast } from "./dom.js";
import { ask, fieldRow } from "./forms.js";
import { go } from "./places.js";
import { attempt, may } from "./session.js";
import { table } from "./tables.js";
import { dateOf, dayText, timeText } from "./times.js";

const AGAIN = 5000;
const STATES = {
  telling: ["正在通知", ""], waiting: ["已通知，等患者选择", "info"], chosen: ["已改约或退号", "good"],
  call: ["没有联系上，请电话联系", "high"], called: ["电话已联系", "good"], told: ["已通知", ""],
};
const SEEN = { read: "已读", arrived: "已送达", sent: "已发出，还没有送达", unreached: "微信收不到", "": "—" };

let parts = null;
let timer = 0;
let day = "";
let words = "";
let clinics = [];

export async function show(root) {
  day = dateOf(1);
  words = "";
  const fields = el("form", { class: "stops-find", onsubmit: (event) => event.preventDefault(), oninput: filter },
    fieldRow({ name: "day", label: "日期", kind: "date", value: day, min: dateOf() }),
    fieldRow({ name: "words", label: "医生或科室", kind: "search", maxlength: 20, autocomplete: "off" }));
  parts = { fields, list: el("div", {}), told: el("div", {}) };
  fill(root,
    el("div", { class: "place-head" }, el("h2", {}, "停诊"), el("p", { class: "dim" }, "约了号的患者会马上收到通知，并可以改约或退号")),
    el("section", { class: "card block" }, el("h3", {}, "出诊安排"), fields, parts.list),
    el("section", { class: "card block" }, el("h3", {}, "通知进度"), parts.told));
  await load();
  timer = setInterval(() => attempt(progress), AGAIN);
}

export function left() {
  clearInterval(timer);
  parts = null;
}

const load = () => Promise.all([list(), progress()]);

async function list() {
  const wish = day;
  const found = await get(withQuery("clinics", { day }));
  if (!parts || wish !== day) return;
  clinics = found.clinics;
  parts.fields.elements.day.max = found.last;
  draw();
}

async function filter(event) {
  words = parts.fields.elements.words.value.trim();
  const chosen = parts.fields.elements.day.value;
  if (event.target.name !== "day") return draw();
  if (!chosen || !parts.fields.elements.day.checkValidity()) return undefined;
  day = chosen;
  return attempt(list);
}

function draw() {
  const shown = clinics.filter((each) => `${each.doctor_name}${each.department}`.includes(words));
  fill(parts.list, table(`${dayText(`${day}T12:00:00+08:00`)}的门诊`, [
    ["医生", (each) => each.doctor_name],
    ["科室", (each) => each.department],
    ["时段", (each) => each.period_name],
    ["已约", (each) => `${each.booked}位`, { number: true }],
    ["候补", (each) => `${each.waiting}位`, { number: true }],
    ["状态", (each) => (each.stopped ? tag(`已停诊：${each.reason}`, "high") : tag("出诊", "good"))],
    ["操作", (each) => (each.stopped ? press("恢复出诊", () => resume(each), "small plainly", named(each, "恢复出诊")) : press("停诊", () => stop(each), "small plainly", named(each, "停诊")))],
  ], shown, "这一天没有符合的门诊。", { quiet: true }));
}

const titleOf = (each) => `${dayText(`${each.day}T12:00:00+08:00`)}${each.period_name} ${each.doctor_name}`;
const named = (each, deed) => ({ "aria-label": `${deed}：${titleOf(each)}` });

async function stop(each) {
  const told = each.booked ? `${each.booked}位约了号的患者会马上收到通知，可以改看其他医生、改约或退号；联系不上或没有选择的，会生成电话联系的工单。` : "还没有患者约这个半天。";
  const done = await ask({
    title: `停诊：${titleOf(each)}`,
    lead: told + (each.waiting ? `${each.waiting}位候补的患者也会收到通知，候补位置保留。` : ""),
    fields: [{ name: "reason", label: "原因（患者会读到）", required: true, maxlength: 60, wide: true, autocomplete: "off", hint: "例如：医生临时会诊。请不要写医生的病情等私事" }],
    done: each.booked ? `停诊并通知${each.booked}位` : "停诊",
    look: "harm",
    save: ({ reason, despite }) => post("clinics/stop", { ...where(each), reason, despite: Boolean(despite) }),
  });
  if (done) toast("已停诊，正在通知患者。");
  await attempt(load);
}

async function resume(each) {
  const done = await ask({
    title: `恢复出诊：${titleOf(each)}`,
    lead: each.booked ? `${each.booked}位还保留着预约的患者会收到恢复出诊的通知。已经改约或退号的不受影响。` : "没有保留着预约的患者。",
    done: "恢复出诊",
    save: () => post("clinics/resume", where(each)),
  });
  if (done) toast("已恢复出诊。");
  await attempt(load);
}

const where = ({ doctor, day: on, period }) => ({ doctor, day: on, period });

async function progress() {
  const { stops } = await get("clinics/stopped");
  if (!parts || parts.told.contains(document.activeElement)) return;
  fill(parts.told, stops.length ? stops.map(one) : empty("今天以后没有停诊。"));
}

function one(each) {
  const count = (...states) => each.told.filter((patient) => states.includes(patient.state)).length;
  const summary = [["通知", each.told.length], ["等选择", count("telling", "waiting", "told")], ["已改约或退号", count("chosen")], ["请电话联系", count("call")], ["电话已联系", count("called")]];
  return el("section", { class: "stop" },
    el("h4", {}, titleOf(each), " ", tag(`原因：${each.reason}`)),
    el("p", {}, summary.map(([name, number]) => `${name} ${number}`).join("　")),
    each.told.length > 0 && table(`${titleOf(each)}：通知进度`, [
      ["预约号", (patient) => patient.number],
      ["就诊时间", (patient) => timeText(patient.at)],
      ["会话", (patient) => patient.visitor],
      ["通知", (patient) => SEEN[patient.seen]],
      ["进度", (patient) => [tag(...STATES[patient.state]), patient.until ? ` ${timeText(patient.until)}还没有选择，就转电话联系` : ""]],
      ["电话联系工单", (patient) => patient.ticket && (may("tickets") ? press(patient.ticket, () => go("tickets", { ticket: patient.ticket_id }), "small link-like") : patient.ticket)],
    ], [...each.told].sort((a, b) => Number(b.state === "call") - Number(a.state === "call")), "", { quiet: true }));
}
