// Entering a ticket for a patient who called, came or wrote (R48, R49, R64).

import { post } from "./api.js";
import { toast } from "./dom.js";
import { ask } from "./forms.js";
import { attempt } from "./session.js";
import { pairs, subtypesOf, ticketWords } from "./ticket_words.js";

const CONTENT = ["complainant", "relation", "patient", "event", "place_time", "staff", "demand", "evidence"];

/** Ask for a ticket; gives what was made, or null. `chat` ties it to the open talk. */
export async function enterTicket({ chat = null } = {}) {
  const words = await attempt(ticketWords);
  if (!words) return null;
  const text = (name, label, more = {}) => ({ name, label, maxlength: 200, ...more });
  const fields = [
    { name: "kind", label: "事项", kind: "select", options: pairs("kinds"), value: "complaint", required: true },
    { name: "channel", label: "来自", kind: "select", options: pairs("channels"), value: chat ? "web" : "phone", required: true },
    { name: "type", label: "类型", kind: "select", options: pairs("types", "请选择（投诉必填）") },
    { name: "subtype", label: "细类", kind: "select", options: [["", "不细分"]] },
    { name: "event", label: "事情经过", kind: "area", required: true, maxlength: 4000, wide: true, hint: "照患者的话写，写清时间、地点、人员" },
    text("demand", "患者的诉求", { wide: true }),
    text("complainant", "反映人姓名"), text("relation", "与患者关系"),
    text("patient", "患者姓名"), { name: "phone", label: "联系电话", kind: "tel", maxlength: 20 },
    text("place_time", "时间和地点"), text("staff", "涉及人员"),
    text("evidence", "证据材料"), { name: "amount", label: "要求金额（元）", kind: "number", min: 0 },
    { name: "severity", label: "严重程度", kind: "select", options: pairs("severities"), value: "normal" },
    { name: "urgency", label: "紧急程度", kind: "select", options: pairs("urgencies"), value: "normal" },
    { name: "departments", label: "涉及科室", kind: "checks", options: pairs("departments") },
    { name: "anonymous", label: "患者要求匿名", kind: "check", wide: true },
  ];
  const asked = ask({
    title: "新建工单",
    lead: "提交后马上受理，期限从现在算起。请向患者复述一遍要点，确认后再提交。",
    wide: true,
    fields,
    done: "提交受理",
    save: (values) => post("tickets", bodyOf(values, chat)),
  });
  followType();
  const made = await asked;
  if (!made) return null;
  toast(`已受理，编号 ${made.ticket.number}，请告诉患者。`);
  return made.ticket;
}

/** The second level of types follows the first. */
function followType() {
  const form = document.querySelector("dialog[open] form");
  const { type, subtype } = form.elements;
  type.addEventListener("change", () => {
    const options = [["", "不细分"], ...subtypesOf(type.value)];
    subtype.replaceChildren(...options.map(([key, name]) => new Option(name, key)));
  });
}

function bodyOf(values, chat) {
  const content = Object.fromEntries(CONTENT.filter((key) => values[key]).map((key) => [key, values[key]]));
  if (values.phone) content.contact = { phone: values.phone };
  const { kind, channel, severity, urgency, departments, amount, anonymous } = values;
  const typed = kind === "complaint" ? { type: values.type || null, subtype: values.subtype || null } : {};
  return { kind, channel, severity, urgency, departments, anonymous, amount, content, chat, ...typed };
}
