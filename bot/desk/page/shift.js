// 交接班: what stands open when one leaves and another comes (R60).

import { get, post } from "./api.js";
import { el, empty, facts, fill, press, toast } from "./dom.js";
import { fieldRow, valuesOf } from "./forms.js";
import { attempt, me } from "./session.js";
import { momentText } from "./times.js";

export async function show(root) {
  const [now, past, colleagues] = await Promise.all([get("shift"), get("shifts"), get("colleagues")]);
  const others = colleagues.colleagues.filter((each) => each.number !== me.number).map((each) => [each.id, `${each.name}（${each.role_name}）`]);
  const fields = [
    { name: "to", label: "交给", kind: "select", options: [["", "下一班同事"], ...others], wide: true },
    { name: "note", label: "交接说明", kind: "area", rows: 5, maxlength: 2000, required: true, wide: true, hint: "没办完的事、答应患者回复的时间、设备和号源的异常" },
  ];
  const form = el("form", { class: "fields" }, fields.map(fieldRow), el("p", { class: "acts" }, el("button", { type: "submit", class: "primary" }, "提交交接班")));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { to, note } = valuesOf(form, fields);
    const done = await attempt(() => post("shift", { note, to: to ? Number(to) : null }));
    if (!done) return;
    toast("交接班记录已保存。");
    await attempt(() => show(root));
  });
  fill(root,
    el("div", { class: "place-head" }, el("h2", {}, "交接班")),
    el("div", { class: "halves" },
      el("section", { class: "card block" }, el("h3", {}, `本班（${momentText(now.since)} 起）`),
        facts([
          ["接待会话", amount(now.served)], ["排队患者", amount(now.waiting)], ["接待中", amount(now.talks)], ["在办工单", amount(now.tickets)], ["超期工单", amount(now.overdue)], ["未查看警示", amount(now.alerts)],
        ]),
        now.text && el("pre", { class: "shift-text", tabindex: 0, "aria-label": "交接班文字" }, now.text),
        now.text && el("p", { class: "acts" }, press("复制文字", () => copy(now.text), "plainly"))),
      el("section", { class: "card block" }, el("h3", {}, "写交接班"), form)),
    el("section", { class: "card block" }, el("h3", {}, "最近的交接班"),
      past.reports.length ? el("ul", { class: "rows" }, past.reports.map(report)) : empty("还没有交接班记录。")));
}

const amount = (given) => String(Array.isArray(given) ? given.length : (given ?? 0));

function report(each) {
  return el("li", { class: "note" },
    el("p", {}, el("b", {}, each.by), el("span", { class: "dim" }, ` ${each.to ? `交给 ${each.to}` : "交给下一班"}　${momentText(each.at)}`)),
    el("p", { class: "told" }, each.note));
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast("已复制。");
  } catch {
    toast("浏览器没有允许复制，请手动选择文字。");
  }
}
