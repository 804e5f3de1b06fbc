// Models: train and judge in the background, compare with the one that serves, promote, roll back.

import { attempt, get, post } from "./api.js";
import { byId, closeDialog, dialog, el, empty, field, fill, percent, press, tag, toast, when } from "./dom.js";
import { titleOf } from "./words.js";

const STEP = { waiting: "等待", running: "进行中", done: "完成", failed: "未完成" };
const FIGURES = [["accuracy", "完整标签正确率"], ["intent_accuracy", "意图正确率"], ["macro_f1", "宏平均F1"], ["entity_f1", "实体F1"], ["out_of_scope_recall", "超范围识别率"], ["false_rejection", "误拒率"]];
let root = null;
let last = null;
let timer = 0;

export async function open(main) {
  root = el("section", { class: "page", "aria-label": "模型" }, el("div", { id: "models-now" }), el("div", { id: "job" }), el("div", { id: "verdict" }), el("div", { id: "models-list" }));
  fill(main, root);
  last = null;
  await look();
}

export const leave = () => (root = null);

/** Look at the job from now on; the note in the bar tells of it wherever one is. */
export function watch() {
  clearTimeout(timer);
  look();
}

async function look() {
  clearTimeout(timer);
  const found = await attempt(() => get("models"));
  const busy = found && (found.job.state === "running" || changing(found));
  if (!byId("bench").hidden) timer = setTimeout(look, busy ? 1500 : 15000);
  if (!found) return;
  note(found);
  elapsed(found.job);
  const text = JSON.stringify(found);
  if (root?.isConnected && text !== last) {
    last = text;
    draw(found);
    elapsed(found.job);
  }
}

/** How far the running step is: the share that its program tells, and the time so far. */
function elapsed(job) {
  const box = root?.querySelector(".elapsed");
  const step = box && job.steps.find((each) => each.state === "running");
  if (step) box.textContent = ` ${step.share === undefined ? "" : `${step.share}%，`}${Math.max(0, Math.round((Date.now() - new Date(step.since)) / 1000))}秒`;
}

/** Does a worker still answer with another model than the promoted one? */
const changing = ({ serving }) => serving.state === "changing";

function note(found) {
  const running = found.job.state === "running" && found.job.steps.find((each) => each.state === "running");
  const words = running ? `正在${running.title}……` : changing(found) ? "新模型正在预热，马上接替……" : "";
  if (byId("job-note").textContent !== words) byId("job-note").textContent = words;
}

function draw(found) {
  const focused = document.activeElement?.id;
  drawNow(found);
  drawJob(found.job, found.typical);
  drawVerdict(found);
  drawList(found);
  if (focused) byId(focused)?.focus();
}

const short = (name) => (name ? name.replace("daoyi-", "").slice(0, 8) : "—");

function drawNow(found) {
  const name = found.serving.model;
  const state = { changing: tag("正在切换", "high"), failed: tag("新模型没有启动成功，仍用原模型", "bad"), live: tag("正在接待", "good") }[found.serving.state] ?? tag("等待服务启动");
  fill(byId("models-now"), el("div", { class: "page-head" }, el("h2", {}, "模型"),
    press("训练并评测", train, "primary", { id: "train", disabled: found.job.state === "running" }),
    press("退回上一个模型", () => back(found), "plainly", { id: "rollback", disabled: !found.before })),
  el("p", { class: "now-line" }, state, el("b", {}, ` 现用模型 ${short(name)} `), el("span", { class: "dim" }, found.live.by ? `${found.live.by} ${when(found.live.at)} 上线${found.live.reason ? `：${found.live.reason}` : ""}` : "按当前文件训练，还没有在这里上线过模型")),
  found.git ? null : el("p", { class: "dim" }, "没有启用版本管理（git），修改照常保存，但不能按版本撤回。"));
}

function drawJob(job, typical) {
  if (!job.state) {
    fill(byId("job"), el("p", { class: "dim" }, "还没有在这里训练过。训练在后台进行，不影响正在接待的模型。"));
    return;
  }
  const running = job.state === "running";
  fill(byId("job"), el("section", { class: "card block", tabindex: "0", "aria-label": "训练进度" },
    el("div", { class: "row" }, el("h3", {}, running ? "正在训练和评测" : { done: "上次训练已完成", failed: "上次训练没有完成", cancelled: "上次训练已取消" }[job.state]),
      el("span", { class: "dim" }, `${job.by} ${when(job.started)} 开始${running && typical ? `，通常需要${Math.ceil(typical / 60)}分钟` : ""}`),
      running ? press("取消训练", cancel, "quiet small", { id: "cancel" }) : null),
    job.error ? el("p", { class: "fault", role: "alert" }, job.error) : null,
    el("ol", { class: "steps" }, job.steps.map((each) => el("li", { class: each.state }, el("span", {}, each.title), el("span", { class: "dim" }, each.seconds === undefined ? [STEP[each.state], each.state === "running" ? el("span", { class: "elapsed" }) : null] : `${STEP[each.state]} ${Math.round(each.seconds)}秒`)))),
    job.lines.length ? el("details", { open: job.state === "failed" }, el("summary", {}, "查看记录"), el("pre", { class: "log", tabindex: "0" }, job.lines.join("\n"))) : null));
}

function drawVerdict(found) {
  const result = found.job.result;
  if (!result) {
    fill(byId("verdict"));
    return;
  }
  const model = found.models.find((each) => each.model === result.model);
  const served = found.serving.model === result.model;
  fill(byId("verdict"), el("section", { class: "card block", tabindex: "0", "aria-label": "比较结果" },
    el("div", { class: "row" }, el("h3", {}, `新模型 ${short(result.model)} 与现用模型 ${short(result.against)} 比较`),
      served ? tag("已上线", "good") : model ? press("上线这个模型", () => promote(model), "primary", { id: "promote", disabled: model.may === "no" }) : null, model ? reportOf(model) : null),
    el("div", { class: "columns" }, figures(result), gate(result.gate)), groups(result.groups),
    el("div", { class: "columns" }, sentences("变好的句子", result.better, "good"), sentences("变差的句子", result.worse, "bad"))));
}

function figures(result) {
  const row = ([name, title]) => {
    const values = ["tuning", "test"].map((set) => [result.before[set]?.[name], result.scores[set]?.[name]]);
    return el("tr", {}, el("th", { scope: "row" }, title), values.map(([old, now]) => el("td", {}, `${percent(old)} → ${percent(now)}`)));
  };
  return el("table", {}, el("caption", {}, "评测指标（现用 → 新）"), el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "指标"), el("th", { scope: "col" }, "调优集"), el("th", { scope: "col" }, "保密测试集"))), el("tbody", {}, FIGURES.map(row)));
}

function gate(rows) {
  return el("div", {}, el("h4", {}, "上线检查"), el("ul", { class: "gate-list" }, rows.map((each) => el("li", {},
    each.passed === true ? tag("通过", "good") : each.passed === false ? tag("未通过", "bad") : tag("未运行", "high"), el("span", {}, each.title), el("span", { class: "dim" }, each.detail)))));
}

function groups(rows) {
  const bar = (each, which) => el("meter", { min: "0", max: String(each.lines), value: String(each[which]), "aria-label": `${each.title}${which === "live" ? "现用" : "新"}` });
  return el("table", { class: "wide" }, el("caption", {}, "各组答对的句数"), el("thead", {}, el("tr", {}, ["分组", "句数", "现用模型", "新模型", "差"].map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, rows.map((each) => el("tr", {}, el("th", { scope: "row" }, each.title), el("td", {}, String(each.lines)), el("td", {}, bar(each, "live"), ` ${each.live}`), el("td", {}, bar(each, "new"), ` ${each.new}`), el("td", { class: each.new < each.live ? "down" : "" }, `${each.new >= each.live ? "+" : ""}${each.new - each.live}`)))));
}

function sentences(title, rows, look) {
  return el("div", {}, el("h4", {}, `${title} ${rows.length}句`), rows.length ? el("ul", { class: "sentences", tabindex: "0", "aria-label": title }, rows.map((each) => el("li", {}, el("p", {}, each.text),
    el("p", { class: "dim" }, `应为${titleOf(each.label)}：`, tag(titleOf(each.live), look === "good" ? "bad" : "good"), " → ", tag(titleOf(each.new), look))))) : empty("没有。"));
}

/** The page with the plots that the evaluation has drawn. */
const reportOf = (model, look = "评测报告") => model.report ? el("a", { href: `/workbench/api/models/${model.model}/report`, target: "_blank", rel: "noopener", "aria-label": `模型${short(model.model)}的评测报告` }, look) : null;

function drawList(found) {
  const now = found.serving.model;
  fill(byId("models-list"), el("h3", {}, "全部模型"), el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "全部模型" }, el("table", { class: "wide" },
    el("thead", {}, el("tr", {}, ["模型", "训练人", "时间", "数据版本", "例句", "正确率", "检查", ""].map((name) => el("th", { scope: "col" }, name || el("span", { class: "unseen" }, "操作"))))),
    el("tbody", {}, found.models.map((each) => el("tr", {}, el("th", { scope: "row" }, short(each.model), each.model === now ? [" ", tag("现用", "good")] : null),
      el("td", {}, each.by ?? "命令行"), el("td", {}, when(each.at)), el("td", {}, each.commit ? `${each.commit.slice(0, 8)}${each.dirty ? "（有未提交的修改）" : ""}` : "—"), el("td", {}, String(each.examples ?? "—")),
      el("td", {}, percent(each.scores?.tuning?.accuracy)), el("td", {}, each.gate ? (each.may === "yes" ? tag("通过", "good") : tag("有未通过项", "bad")) : tag("未评测"), " ", reportOf(each, "报告")),
      el("td", {}, each.model === now ? null : press("上线", () => promote(each), "plainly small", { disabled: each.may === "no", "aria-label": `上线模型${short(each.model)}` }))))))));
}

async function train() {
  if (await attempt(() => post("train"))) await look();
}

async function cancel() {
  if (await attempt(() => post("train/cancel"))) await look();
}

function promote(model) {
  const why = el("textarea", { rows: "3", maxlength: "400" });
  const needed = model.may === "reason";
  const failed = (model.gate ?? []).filter((each) => each.passed === false).map((each) => `${each.title}（${each.detail}）`);
  const go = async () => {
    if (!(await attempt(() => post("promote", { model: model.model, reason: why.value })))) return;
    closeDialog();
    toast("已上线。新模型预热好后自动接替，正在进行的对话不会中断。");
    last = null;
    await look();
  };
  dialog(`上线模型 ${short(model.model)}`, el("p", {}, "新模型先预热，准备好以后接替现用模型；对话不会中断，随时可以退回。"),
    needed ? el("div", { class: "warning" }, el("p", {}, model.gate ? `没有通过的检查：${failed.join("；") || "有检查没有运行"}` : "这个模型没有在工作台评测过。"), field("为什么仍要上线", why)) : null,
    el("p", { class: "row end" }, press("取消", closeDialog, "quiet"), press("确认上线", go, "primary", { id: "confirm" })));
}

function back(found) {
  const go = async () => {
    if (!(await attempt(() => post("rollback")))) return;
    closeDialog();
    toast("已退回。原来的模型预热好后自动接替。");
    last = null;
    await look();
  };
  dialog("退回上一个模型", el("p", {}, `退回到 ${short(found.before.model)}${found.before.at ? `（${when(found.before.at)} 上线）` : ""}。训练数据不变。`),
    el("p", { class: "row end" }, press("取消", closeDialog, "quiet"), press("确认退回", go, "primary", { id: "confirm" })));
}
