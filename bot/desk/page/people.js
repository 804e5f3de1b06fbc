// Accounts: who may sign in, with which role; capacity and skills. Admins change accounts, supervisors the work.

import { get, post } from "./api.js";
import { el, fill, press, tag } from "./dom.js";
import { ask } from "./forms.js";
import { may, me } from "./session.js";
import { table } from "./tables.js";

const ROLES = [["agent", "客服"], ["supervisor", "主管"], ["quality", "质控"], ["liaison", "科室联络员"], ["director", "院办"], ["trainer", "训练师"], ["admin", "管理员"]];
const NAMES = Object.fromEntries(ROLES);
const password = (label) => ({ name: "password", label, kind: "password", required: true, minlength: 10, maxlength: 200, autocomplete: "new-password", hint: "至少10个字符；请当面交给本人", wide: true });

export async function show(root) {
  const found = await get("staff");
  const skills = Object.entries(me.skill_names ?? {});
  draw(found.staff);

  function draw(staff) {
    const changed = (answer) => answer?.staff && draw(answer.staff);
    const add = async () => changed(await ask({
      title: "新建账号",
      fields: [
        { name: "number", label: "工号", required: true, maxlength: 20, pattern: "[A-Za-z0-9]+", autocomplete: "off", wide: true },
        { name: "name", label: "姓名", required: true, maxlength: 40, wide: true },
        { name: "role", label: "岗位", kind: "select", options: ROLES, value: "agent", required: true, wide: true }, password("初始密码"),
      ],
      done: "建立账号",
      save: (values) => post("staff", values),
    }));
    const role = async (each) => changed(await ask({
      title: `${each.name}的岗位`, lead: "从下一次操作起生效。",
      fields: [{ name: "role", label: "岗位", kind: "select", options: ROLES, value: each.role, wide: true }], done: "保存", save: (values) => post(`staff/${each.id}/role`, values),
    }));
    const renew = async (each) => changed(await ask({
      title: `重设${each.name}的密码`, lead: "保存后，他现有的登录全部失效。", fields: [password("新密码")], done: "重设", save: (values) => post(`staff/${each.id}/password`, values),
    }));
    const close = async (each) => changed(await ask({
      title: "关闭账号", lead: `${each.name}（工号${each.number}）将马上退出，不能再登录；历史记录保留。`, done: "关闭账号", look: "harm", save: () => post(`staff/${each.id}/close`),
    }));
    const work = async (each) => changed(await ask({
      title: `${each.name}的工作安排`,
      fields: [
        { name: "capacity", label: "同时接待上限", kind: "number", min: 1, max: 20, required: true, value: each.capacity, wide: true },
        { name: "skills", label: "技能组", kind: "checks", options: skills, value: each.skills },
        { name: "department", label: "科室代码（科室联络员必填，如 cardiology）", value: each.department ?? "", maxlength: 40, wide: true },
      ],
      done: "保存",
      save: (values) => post(`staff/${each.id}/work`, values),
    }));
    const deeds = (each) => each.active && el("span", { class: "acts" },
      press("安排", () => work(each), "small plainly", { "aria-label": `${each.name}的工作安排` }),
      may("accounts") && [
        press("岗位", () => role(each), "small quiet", { "aria-label": `改${each.name}的岗位` }),
        press("密码", () => renew(each), "small quiet", { "aria-label": `重设${each.name}的密码` }),
        each.number !== me.number && press("关闭", () => close(each), "small quiet", { "aria-label": `关闭${each.name}的账号` }),
      ]);
    fill(root,
      el("div", { class: "place-head" }, el("h2", {}, "人员"), may("accounts") && press("新建账号", add, "primary")),
      table("人员", [
        ["工号", (each) => each.number], ["姓名", (each) => each.name], ["岗位", (each) => NAMES[each.role] ?? each.role],
        ["状态", (each) => (each.active ? tag(each.here ? "在岗" : "正常", each.here ? "good" : "") : tag("已关闭", "high"))],
        ["接待上限", (each) => String(each.capacity ?? "—"), { number: true }],
        ["技能组", (each) => (each.skills ?? []).map((key) => me.skill_names?.[key] ?? key).join("、") || "—"],
        ["科室", (each) => each.department || "—"], ["操作", (each) => deeds(each) || "—"],
      ], staff, "还没有账号。", { quiet: true }));
  }
}
