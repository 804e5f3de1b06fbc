// Canned replies of the house: written by supervisors, checked by the language rules, used by everyone.

import { get, post } from "./api.js";
import { el, fill, press, toast } from "./dom.js";
import { ask, sure } from "./forms.js";
import { attempt } from "./session.js";
import { table } from "./tables.js";

const VARIABLES = "可用变量：{姓名} {工号} {医院} {科室} {受理编号} {期限} {电话}";

export async function show(root) {
  draw(root, (await get("canned")).canned);
}

function draw(root, replies) {
  const edit = async (given) => {
    const found = await ask({
      title: given ? "修改常用语" : "新增常用语",
      lead: VARIABLES,
      fields: [
        { name: "shortcut", label: "快捷词（/ 后输入）", required: true, maxlength: 20, pattern: "\\S+", value: given?.shortcut ?? "", wide: true },
        { name: "title", label: "标题", required: true, maxlength: 40, value: given?.title ?? "", wide: true },
        { name: "text", label: "内容", kind: "area", rows: 6, required: true, maxlength: 1000, value: given?.text ?? "", wide: true },
      ],
      done: "保存",
      save: (values) => post("canned", given?.id ? { id: given.id, ...values } : values),
    });
    if (found?.canned) draw(root, found.canned);
  };
  const remove = async (given) => {
    if (!(await sure("删除常用语", `删除“${given.title}”？已经发出的回复不受影响。`, "删除"))) return;
    const found = await attempt(() => post(`canned/${given.id}/remove`));
    if (!found) return;
    draw(root, found.canned);
    toast("已删除。");
  };
  fill(root,
    el("div", { class: "place-head" }, el("h2", {}, "常用语"), el("p", { class: "dim" }, VARIABLES), press("新增常用语", () => edit(null), "primary")),
    table("常用语", [
      ["快捷词", (row) => `/${row.shortcut}`], ["标题", (row) => row.title], ["内容", (row) => el("span", { class: "told" }, row.text)],
      ["操作", (row) => el("span", { class: "acts" }, press("修改", () => edit(row), "small plainly", { "aria-label": `修改${row.title}` }), row.id ? press("删除", () => remove(row), "small quiet", { "aria-label": `删除${row.title}` }) : el("span", { class: "dim" }, "系统自带"))],
    ], replies, "还没有常用语。", { quiet: true }));
}
