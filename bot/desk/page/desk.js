// The agents' desk: sign-in, the news that reach every page, the bar on top.

import { post } from "./api.js";
import { sayAlerts, showAlerts } from "./alerts.js";
import { byId, toast } from "./dom.js";
import { closeDialogs, sure } from "./forms.js";
import "./keys.js";
import * as news from "./news.js";
import * as places from "./places.js";
import { unsent } from "./sending.js";
import { attempt, beat, leave, may, me, whoAmI } from "./session.js";
import { applyContrast, notice } from "./settings.js";
import * as sound from "./sound.js";
import * as talks from "./talks.js";
import { clock, tick } from "./times.js";

const TITLE = "人工客服工作台";

// ---- signing in and out

async function enter() {
  let who = null;
  try {
    who = await whoAmI();
  } catch {
    return showGate("暂时连接不上服务器，请稍后再试。");
  }
  if (!who) return showGate("");
  document.body.dataset.role = who.role;
  byId("hospital").textContent = who.hospital;
  byId("who").textContent = `${who.name}　${who.number}　${who.role_name}`;
  byId("hours").textContent = who.hours;
  byId("duty-box").hidden = !may("serve");
  showDuty(who.duty);
  byId("gate").hidden = true;
  byId("desk").hidden = false;
  beat();
  news.follow();
  return places.arrive({ focus: false });
}

function showGate(message) {
  news.stop();
  closeDialogs();
  talks.forget();
  places.clear();
  draw();
  document.title = TITLE;
  byId("desk").hidden = true;
  byId("gate").hidden = false;
  byId("gate-error").textContent = message;
  byId("password").value = "";
  (byId("number").value ? byId("password") : byId("number")).focus();
}

document.addEventListener("desk:left", (event) => showGate(event.detail));

byId("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  sound.allow();
  const button = event.target.querySelector("button");
  button.disabled = true;
  byId("gate-error").textContent = "";
  try {
    await post("sign-in", { number: byId("number").value, password: byId("password").value });
    byId("password").value = "";
    await enter();
  } catch (error) {
    byId("gate-error").textContent = error.message;
    byId("password").select();
  } finally {
    button.disabled = false;
  }
});

byId("sign-out").addEventListener("click", async () => {
  const held = news.lists.mine.length;
  const waits = unsent() ? "还有回复没有发出。" : "";
  const left = held ? `您还有${held}个接待中的会话，退出后患者会回到排队的原位置。` : "";
  if ((held || waits) && !(await sure("退出工作台", waits + left, "退出"))) return;
  await post("sign-out").catch(() => {});
  leave();
});

// ---- duty

function showDuty(duty) {
  byId("duty").value = duty ?? "manual";
  byId("duty-box").className = `duty ${duty}`;
}

byId("duty").addEventListener("change", async (event) => {
  const found = await attempt(() => post("duty", { duty: event.target.value }));
  if (found) me.duty = found.duty;
  showDuty(me?.duty);
  if (found) toast({ manual: "由您自己接入患者。", auto: "系统会按技能组和接待上限为您分配患者。", break: "小休中，不会为您分配新的患者。" }[found.duty]);
});

// ---- news

news.listen({
  opened: talks.opened,
  link: (stands) => {
    byId("link").textContent = stands ? "" : "连接中断，正在重新连接……";
    byId("link").classList.toggle("broken", !stands);
  },
  take: async ({ before, lists, chat }) => {
    if (lists !== before) announce(before, lists);
    await talks.receive(chat);
    if (chat?.lines?.some((line) => line.sender === "patient") && document.hidden) sound.soft();
    talks.markSeen();
    places.heard();
    draw();
  },
});

function announce(before, after) {
  const known = new Set(before.alerts.map((alert) => alert.id));
  const raised = after.alerts.filter((alert) => !known.has(alert.id));
  const called = after.alerts.some((alert) => alert.for_me && !before.alerts.some((each) => each.id === alert.id && each.for_me));
  if (raised.length || called) {
    sound.danger();
    sayAlerts(raised);
    notice("危险警示", "有患者可能需要紧急帮助，请马上查看。", "danger");
  }
  const waited = new Set([...before.queue, ...before.mine].map((item) => item.id));
  const came = after.queue.some((item) => !waited.has(item.id));
  const given = after.mine.some((item) => !before.mine.some((each) => each.id === item.id) && item.id !== talks.opened()?.id);
  const wrote = after.mine.some((item) => talks.unread(item) > 0 && item.id !== talks.opened()?.id);
  if (came || wrote || given) sound.soft();
  if (came) notice("有患者在排队", "请到工作台接入。", "queue");
  if (given) notice("有一位患者分配给您", "请到工作台回复。", "mine");
  else if (wrote) notice("有新的患者消息", "请到工作台回复。", "mine");
}

function draw() {
  if (me && !may("read_chats")) news.amend({ alerts: [], alerts_more: 0 }); // whoever reads no talks answers no alarms
  showAlerts(news.lists.alerts, news.lists.alerts_more, { look: talks.open, take: talks.take, seen: talks.seeAlert });
  talks.draw();
  const waiting = news.lists.queue.length + news.lists.mine.filter(talks.unread).length;
  const alerts = news.lists.alerts.length;
  document.title = alerts ? `⚠ 危险警示（${alerts}） ${TITLE}` : waiting ? `（${waiting}） ${TITLE}` : TITLE;
}

// ---- clocks and the window

setInterval(() => me && tick(), 1000);
setInterval(() => news.lists.alerts.some((alert) => alert.definite && clock() - Date.parse(alert.at) > 10_000) && sound.danger(), 8000);
document.addEventListener("pointerdown", sound.allow, { once: true });
document.addEventListener("visibilitychange", () => {
  if (document.hidden || !me) return;
  talks.markSeen();
  draw();
  news.wake();
});
window.addEventListener("online", news.wake);
window.addEventListener("beforeunload", (event) => unsent() && event.preventDefault());

applyContrast();
places.begin(talks.arrive);
enter();
