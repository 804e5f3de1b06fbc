// The audit: who did what and when, newest first. It can only be read.

import { get, withQuery } from "./api.js";
import { el, fill, press } from "./dom.js";
import { fieldRow, valuesOf } from "./forms.js";
import { attempt } from "./session.js";
import { table } from "./tables.js";
import { momentText } from "./times.js";

const ACTIONS = {
  sign_in: "登录", sign_out: "退出", sign_in_refused: "登录失败", sign_in_locked: "账号锁定", desk_refused: "越权被拒", read: "读取患者资料", transcript_read: "读取聊天记录",
  unmasked: "查看完整信息", taken: "接入会话", taken_over: "接管会话", given_back: "转回智能客服", transferred: "转接会话", wording_kept: "保留用语提示", alert_seen: "查看警示",
  note: "写备注", tagged: "改标签", suggested: "查看参考回复", picture_read: "查看图片", searched: "搜索", duty: "改接入方式", shift_handed_over: "交接班", audit_read: "查看审计",
  ticket_entered: "登记工单", ticket_read: "读取工单", ticket_facts: "更正工单", ticket_told: "告知患者进度", ticket_note: "工单备注", ticket_link: "关联工单", ticket_attach: "上传附件",
  ticket_task: "请科室协查", file_read: "查看附件", ticket_assign: "工单分派", ticket_investigate: "工单调查", ticket_answer: "工单处理意见", ticket_feedback: "工单反馈",
  ticket_close: "工单办结", ticket_reopen: "工单重新办理", ticket_withdraw: "工单撤回", ticket_escalate: "工单上报", ticket_extend: "工单转多部门",
  account_add: "新建账号", account_close: "关闭账号", account_role: "改岗位", account_password: "重设密码", account_work: "改工作安排",
};
const FIELDS = [
  { name: "actor", label: "谁（如 staff:1001）", maxlength: 60 },
  { name: "action", label: "做了什么", kind: "select", options: [["", "全部"], ...Object.entries(ACTIONS)] },
  { name: "day", label: "日期", kind: "date" },
];

export async function show(root) {
  const result = el("div", { "aria-live": "polite" });
  const form = el("form", { class: "filters page-form" }, FIELDS.map(fieldRow), el("button", { type: "submit", class: "primary" }, "查询"));
  let entries = [];

  async function load(before = "") {
    const found = await attempt(() => get(withQuery("audit", { ...valuesOf(form, FIELDS), before })));
    if (!found) return;
    entries = before ? [...entries, ...found.entries] : found.entries;
    fill(result, table("审计记录", [
      ["时间", (row) => momentText(row.at)], ["谁", (row) => row.actor], ["做了什么", (row) => ACTIONS[row.action] ?? row.action],
      ["患者", (row) => (row.patient ? String(row.patient) : "—")], ["说明", (row) => el("span", { class: "detail" }, detail(row.detail))],
    ], entries, "没有符合条件的记录。", { quiet: true }), found.more && el("p", { class: "centre" }, press("更早的记录", () => load(entries.at(-1).id), "plainly")));
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    load();
  });
  fill(root, el("div", { class: "place-head" }, el("h2", {}, "审计"), el("p", { class: "dim" }, "只能查看，不能修改。")), form, result);
  await load();
}

const detail = (given) => (given ? Object.entries(given).map(([name, value]) => `${name}：${typeof value === "object" ? JSON.stringify(value) : value}`).join("，") : "");
