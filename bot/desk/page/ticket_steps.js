// What is done with a ticket: the steps of the state machine and the smaller deeds, each asked for in a dialog.

import { get, post } from "./api.js";
import { toast } from "./dom.js";
import { ask } from "./forms.js";
import { departmentCodes, pairs, stepName, subtypesOf } from "./ticket_words.js";

const area = (name, label, hint = "") => ({ name, label, kind: "area", required: true, maxlength: 2000, hint, wide: true });
const FIELDS = {
  assign: async () => [await who("to", "承办人")],
  investigate: async () => [await who("investigator", "调查人", "请避开被反映的人员")],
  answer: async () => [area("findings", "处理意见（内部）", "查到了什么，怎样处理")],
  feedback: async () => [
    area("result", "告知患者的结果", "患者会读到这段话：先致歉或致谢，再说结果和下一步"),
    { name: "compensation", label: "补偿金额（元，没有就留空）", kind: "number", min: 0, step: 1, wide: true },
  ],
  close: async () => [area("lesson", "改进措施", "这件事让我们改了什么；整改公示会用到，请不要写姓名")],
  reopen: async () => [area("reason", "重新办理的原因")],
  withdraw: async () => [area("reason", "撤回的原因")],
  escalate: async () => [area("reason", "上报的原因")],
  extend: async () => [area("reason", "需要多个部门一起办理的原因", "期限改为自受理起10个工作日")],
};

async function who(name, label, hint = "") {
  const found = await get("colleagues");
  const options = found.colleagues.map((each) => [each.id, `${each.name}（${each.role_name}）${each.here ? "" : "，不在线"}`]);
  return { name, label, kind: "select", options: [["", "请选择"], ...options], required: true, hint, wide: true };
}

/** Take a step; gives {ticket} or null. */
export async function step(ticket, name) {
  const fields = await FIELDS[name]();
  const done = await ask({
    title: `${stepName(name)}：${ticket.number}`,
    fields,
    done: stepName(name),
    save: (values) => {
      for (const key of ["to", "investigator"]) if (key in values) values[key] = Number(values[key]);
      if (values.compensation === null) delete values.compensation;
      return post(`tickets/${ticket.id}/steps/${name}`, values);
    },
  });
  if (done) toast(`${stepName(name)}：已完成。`);
  return done;
}

export async function tell(ticket) {
  const done = await ask({
    title: "告知患者进度",
    fields: [area("text", "告知内容", "现在办到哪一步、接下来做什么、什么时候再联系")],
    done: "告知患者",
    save: (values) => post(`tickets/${ticket.id}/tell`, values),
  });
  if (done) toast(done.ticket.events.at(-1)?.what === "to_be_called" ? "患者没有在线会话，请电话告知。" : "已告知患者。");
  return done;
}

export const note = (ticket) =>
  ask({ title: "工单备注", fields: [area("text", "备注（患者看不到）")], done: "保存", save: (values) => post(`tickets/${ticket.id}/notes`, values) });

export const askDepartment = (ticket) =>
  ask({
    title: "请科室协查",
    lead: "任务会马上出现在科室联络员的收件箱，由科室签收并答复。",
    fields: [
      { name: "department", label: "科室", kind: "select", options: pairs("departments", "请选择"), required: true, wide: true },
      { name: "kind", label: "任务", kind: "radio", options: pairs("task_kinds"), value: "investigate", required: true },
      area("text", "需要科室做什么"),
    ],
    done: "发出",
    save: (values) => post(`tickets/${ticket.id}/tasks`, values),
  });

export const link = (ticket) =>
  ask({
    title: "关联工单",
    fields: [
      { name: "number", label: "工单编号", required: true, maxlength: 20, wide: true },
      { name: "kind", label: "关系", kind: "radio", options: pairs("link_kinds"), value: "related", required: true },
    ],
    done: "关联",
    save: (values) => post(`tickets/${ticket.id}/links`, values),
  });

export const changeFacts = (ticket) =>
  ask({
    title: `修改登记：${ticket.number}`,
    lead: "承办部门、决定权限和期限会随类型和严重程度改变。",
    wide: true,
    fields: [
      { name: "type", label: "类型", kind: "select", options: pairs("types", "请选择"), value: ticket.type ?? "" },
      { name: "subtype", label: "细类", kind: "select", options: [["", "不细分"], ...subtypesOf(ticket.type)], value: ticket.subtype ?? "" },
      { name: "severity", label: "严重程度", kind: "select", options: pairs("severities"), value: ticket.severity },
      { name: "urgency", label: "紧急程度", kind: "select", options: pairs("urgencies"), value: ticket.urgency },
      { name: "amount", label: "要求金额（元）", kind: "number", min: 0, value: ticket.amount ?? "" },
      { name: "accused", label: "被反映人的工号", value: ticket.accused.join(" "), hint: "几位用空格分开；他们不能参与调查" },
      { name: "departments", label: "涉及科室", kind: "checks", options: pairs("departments"), value: departmentCodes(ticket.departments) },
    ],
    done: "保存",
    save: (values) => post(`tickets/${ticket.id}/facts`, { ...values, accused: values.accused.split(/[\s，,、]+/u).filter(Boolean), type: values.type || null, subtype: values.subtype || null }),
  });
