// What the buttons over a conversation do: transfer, end, show masked words with a reason.

import { get, post } from "./api.js";
import { el, facts, toast } from "./dom.js";
import { ask, show } from "./forms.js";
import { unsent } from "./sending.js";
import { attempt, me } from "./session.js";

const SHOWN_FOR = 60_000; // milliseconds before unmasked words go away again
const REASONS = ["电话联系患者需要号码", "核对患者身份", "办理患者提出的申请", "核实投诉事实"];

/** Hand the conversation to a colleague or a group; gives true when it is done. */
export async function transfer(chat) {
  if (waitsForSending(chat)) return false;
  const found = await attempt(() => get("colleagues"));
  if (!found) return false;
  const here = found.colleagues.filter((each) => each.here && each.duty !== "break" && each.number !== me.number && ["agent", "supervisor"].includes(each.role));
  const places = (each) => `${each.name}（${each.role_name}，接待中 ${each.talks}/${each.capacity}）`;
  const groups = Object.entries(me.skill_names ?? {}).map(([key, name]) => [`skill:${key}`, `技能组：${name}（回到排队，保留原位置）`]);
  const options = [["", "请选择"], ...here.map((each) => [`staff:${each.id}`, places(each)]), ...groups];
  const done = await ask({
    title: "转接会话",
    lead: here.length ? "对方会看到全部聊天记录和您的说明，患者会看到一条通知。" : "现在没有其他同事在线，可以转到技能组排队。",
    fields: [
      { name: "to", label: "转给", kind: "select", options, required: true, wide: true },
      { name: "note", label: "给同事的说明（患者看不到）", kind: "area", required: true, maxlength: 500, wide: true, hint: "已经做了什么，还需要做什么" },
    ],
    done: "转接",
    save: ({ to, note }) => {
      const [kind, key] = to.split(":");
      return post(`chats/${chat.id}/transfer`, kind === "staff" ? { to: Number(key), note } : { skill: key, note });
    },
  });
  if (done) toast("已转接。");
  return done !== null;
}

/** End the service with an outcome; gives true when it is done. */
export async function giveBack(chat, summary) {
  if (waitsForSending(chat)) return false;
  const done = await ask({
    title: "结束接待，转回智能客服",
    lead: "患者会看到一条说明，之后由智能客服继续回复。",
    fields: [
      { name: "outcome", label: "这次接待的结果", kind: "radio", required: true, options: me.outcomes.map(({ key, name }) => [key, name]) },
      { name: "summary", label: "小结（下次接待的同事会看到）", kind: "area", rows: 3, maxlength: 500, value: summary ?? "", wide: true },
      { name: "ask_rating", label: "请患者评价这次服务", kind: "check", value: true, wide: true },
    ],
    done: "确认转回",
    back: "继续接待",
    save: (values) => post(`chats/${chat.id}/give-back`, values),
  });
  if (done) toast("已转回智能客服。");
  return done !== null;
}

function waitsForSending(chat) {
  if (!unsent(chat.id)) return false;
  toast("还有回复没有发出，请先处理。");
  return true;
}

/** Show what is masked, for a reason that goes into the audit; it disappears after a minute. */
export async function unmask(address, given = {}) {
  const found = await ask({
    title: "查看完整信息",
    lead: "查看会记入审计：工号、时间、理由。请只在办理需要时查看。",
    fields: [
      { name: "reason", label: "查看理由", required: true, minlength: 4, maxlength: 100, list: "unmask-reasons", wide: true, hint: "至少4个字", autocomplete: "off" },
    ],
    body: el("datalist", { id: "unmask-reasons" }, REASONS.map((reason) => el("option", { value: reason }))),
    done: "查看",
    save: ({ reason }) => post(address, { ...given, reason }),
  });
  if (!found?.found) return;
  const rows = found.found.map(({ name, value }) => [name, value]);
  const body = el("div", { class: "revealed" }, facts(rows), el("p", { class: "hint" }, "一分钟后自动隐藏。"));
  setTimeout(() => body.closest("dialog")?.close(), SHOWN_FOR);
  await show("完整信息", body);
}
