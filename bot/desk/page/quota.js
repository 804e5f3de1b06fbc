// How many messages WeChat still lets through: counted down, and what an agent can do when there are none.

import { byId, el, fill, press } from "./dom.js";
import { clock, lengthText, momentText } from "./times.js";

const HOUR = 3600; // seconds

let quota = null; // {windows: [{left, until}], under_way, held}; null: nothing counts
let out = false;
let help = () => {};

/** Say what leads to another way: `help("facts" | "tickets" | "notes")`. */
export function begin(wanted) {
  help = wanted;
}

/** Show what the server has counted. */
export function show(found) {
  quota = found ?? null;
  draw();
}

/** Tell whether nothing may be sent now. */
export const usedUp = () => quota !== null && count() === 0;

const open = () => quota.windows.filter((window) => Date.parse(window.until) > clock());
const count = () => Math.max(0, open().reduce((sum, window) => sum + window.left, 0) - quota.under_way);

function draw() {
  const none = usedUp();
  byId("quota").hidden = quota === null || none;
  byId("send").disabled = none;
  if (quota && !none) fill(byId("quota"), text());
  byId("quota").classList.toggle("few", Boolean(quota) && count() <= 1);
  if (none !== out) fill(byId("quota-out"), none && instead()); // told once: a screen reader hears it, too
  out = none;
}

function text() {
  const until = open().at(-1).until;
  const seconds = (Date.parse(until) - clock()) / 1000;
  const hours = `${Math.floor(seconds / HOUR)}小时${Math.floor((seconds % HOUR) / 60)}分，${momentText(until)}为止`;
  return `微信还可以发送${count()}条（还剩${seconds < HOUR ? lengthText(seconds) : hours}）`;
}

function instead() {
  return [
    el("p", { class: "advice-head" }, "微信允许的条数已用完，或已超过时间，现在发送患者收不到，所以暂不发出。"),
    el("p", {}, "患者再次发来消息后，又可以回复5条，您写好的内容会留在这里。需要马上联系患者，您可以："),
    el("p", { class: "acts" },
      press("看患者信息，打电话", () => help("facts"), "small plainly"),
      press("登记工单，请同事跟进", () => help("tickets"), "small plainly"),
      press("写备注", () => help("notes"), "small plainly")),
  ];
}

setInterval(() => quota && draw(), 1000);
