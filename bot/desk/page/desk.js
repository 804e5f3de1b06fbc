// The agents' desk: sign-in, one long poll that brings all news, and what the buttons do.

import { Failure, get, post, setCsrf } from "./api.js";
import * as chat from "./chat.js";
import { byId, clock, el, setClock, sleep, tick, toast } from "./dom.js";
import { showAlerts, showAll, showMine, showQueue } from "./lists.js";
import { showPanel } from "./panel.js";
import * as sound from "./sound.js";

const WAIT = 20; // seconds of the long poll
const BEAT = 30_000;
const SEEN = "daoyi-desk-seen"; // conversation → seq; no words of a patient are kept in the browser
const TITLE = "人工客服工作台";

let me = null;
let lists = { alerts: [], alerts_more: 0, queue: [], mine: [] };
let all = [];
let version = "";
let poll = null; // the AbortController of the poll under way
let round = 0; // a later sign-in ends the loop of an earlier one
let acted = Date.now(); // the last key or click
let opening = 0; // the newest wish to open a conversation wins
const names = new Map(); // conversation → masked name, as far as it was opened here
const seen = new Map(Object.entries(stored()));

function stored() {
  try {
    return JSON.parse(localStorage.getItem(SEEN)) ?? {};
  } catch {
    return {};
  }
}

// ---- signing in and out

async function enter() {
  try {
    me = await get("me");
  } catch (error) {
    if (error.status === 401) return showGate("");
    showGate("暂时连接不上服务器，请稍后再试。");
    return undefined;
  }
  setCsrf(me.csrf);
  setClock(me.now);
  document.body.dataset.role = me.role;
  byId("hospital").textContent = me.hospital;
  byId("who").textContent = `${me.name}　${me.number}　${me.role_name}`;
  byId("hours").textContent = me.hours;
  byId("draft").dataset.limit = me.max_characters;
  byId("all-box").hidden = me.role !== "supervisor";
  byId("outcomes").replaceChildren(
    ...me.outcomes.map(({ key, name }) => el("label", {}, el("input", { type: "radio", name: "outcome", value: key, required: true }), name)),
  );
  byId("gate").hidden = true;
  byId("desk").hidden = false;
  acted = Date.now();
  version = "";
  beat();
  follow(++round);
  return undefined;
}

function showGate(message) {
  round += 1;
  poll?.abort();
  me = null;
  chat.forget();
  showPanel(null);
  names.clear();
  lists = { alerts: [], alerts_more: 0, queue: [], mine: [] };
  all = [];
  draw();
  if (byId("ending").open) byId("ending").close();
  document.title = TITLE;
  document.body.dataset.view = "lists";
  byId("desk").hidden = true;
  byId("gate").hidden = false;
  byId("gate-error").textContent = message;
  byId("password").value = "";
  (byId("number").value ? byId("password") : byId("number")).focus();
}

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
  const held = lists.mine.length;
  const waits = chat.unsent() > 0 ? "还有回复没有发出。" : "";
  if ((held || waits) && !confirm(`${waits}${held ? `您还有${held}个接待中的会话，退出后患者会等待您回来。` : ""}确定退出吗？`)) return;
  await post("sign-out").catch(() => {});
  showGate("");
});

// ---- news

async function follow(mine) {
  let failures = 0;
  while (mine === round) {
    const open = chat.opened();
    const since = open?.last ?? 0;
    poll = new AbortController();
    try {
      const query = new URLSearchParams({ version, wait: version ? WAIT : 0, ...(open && { chat: open.id, since }) });
      const found = await get(`news?${query}`, { signal: poll.signal, seconds: WAIT + 10 });
      if (mine !== round) return;
      if (failures) toast("已重新连接，消息已更新。");
      failures = 0;
      linkState("");
      await takeIn(found);
    } catch (error) {
      if (mine !== round || error.code === "stopped") continue;
      if (!(error instanceof Failure)) throw error;
      if (error.status === 401) return showGate(error.message);
      failures += 1;
      version = "";
      linkState("连接中断，正在重新连接……");
      await sleep(Math.min(8000, 500 * 2 ** failures));
    }
  }
}

/** Ask anew at once: something was done, or another conversation was opened. */
const wake = () => poll?.abort();

async function takeIn(found) {
  setClock(found.now);
  version = found.version;
  const before = lists;
  if (found.desk) {
    lists = found.desk;
    announce(before, lists);
  }
  const open = chat.opened();
  if (found.chat && open?.id === found.chat.id) {
    if (found.chat.gone) {
      chat.close();
      showPanel(null);
      document.body.dataset.view = "lists";
      const by = found.chat.holder_name;
      toast(by ? `这位患者已由${by}接待。` : "这个会话已由智能客服继续接待。");
    } else {
      const held = open.mine;
      if (!chat.receive(found.chat.lines)) await refetch();
      else chat.state(found.chat);
      const others = found.chat.lines.some((line) => line.sender === "bot" || line.sender === "system");
      if (others || held !== found.chat.mine) refreshPanel();
      if (found.chat.lines.some((line) => line.sender === "patient") && document.hidden) sound.soft();
    }
  }
  markSeen();
  draw();
}

function announce(before, after) {
  const known = new Set(before.alerts.map((alert) => alert.id));
  const raised = after.alerts.filter((alert) => !known.has(alert.id));
  if (raised.length) {
    sound.danger();
    byId("alerts-said").textContent = raised.map((alert) => `危险信号：${alert.name}，${alert.visitor}`).join("；");
  }
  const waited = new Set(before.queue.map((item) => item.id));
  if (after.queue.some((item) => !waited.has(item.id)) || after.mine.some((item) => unread(item) > 0 && item.id !== chat.opened()?.id)) sound.soft();
}

function draw() {
  const open = chat.opened()?.id;
  showAlerts(lists.alerts, lists.alerts_more, { look: openChat, take, seen: seeAlert });
  showMine(lists.mine, open, names, unread, openChat);
  showQueue(lists.queue, open, openChat, take);
  showAll(all, open, openChat);
  const unreadNow = lists.mine.reduce((count, item) => count + (unread(item) ? 1 : 0), 0);
  const news = lists.queue.length + unreadNow;
  document.title = lists.alerts.length ? `⚠ 危险警示（${lists.alerts.length}） ${TITLE}` : news ? `（${news}） ${TITLE}` : TITLE;
}

function linkState(text) {
  byId("link").textContent = text;
  byId("link").classList.toggle("broken", Boolean(text));
}

const unread = (item) => item.unanswered.filter((seq) => seq > (seen.get(item.id) ?? 0)).length;

function markSeen() {
  const open = chat.opened();
  if (!open || document.hidden || (seen.get(open.id) ?? 0) >= open.last) return;
  seen.set(open.id, open.last);
  const kept = new Set(lists.mine.map((item) => item.id));
  for (const id of seen.keys()) if (!kept.has(id) && id !== open.id) seen.delete(id);
  try {
    localStorage.setItem(SEEN, JSON.stringify(Object.fromEntries(seen)));
  } catch {
    // private window: unread marks last as long as the page
  }
}

// ---- opening and doing

async function openChat(id, { focus = true } = {}) {
  const wish = ++opening;
  try {
    const found = await get(`chats/${id}`);
    if (wish !== opening) return;
    named(found);
    chat.show(found);
    showPanel(found.panel);
    document.body.dataset.view = "chat";
    markSeen();
    draw();
    wake();
    if (focus) (found.mine ? byId("draft") : byId("chat-name")).focus();
  } catch (error) {
    told(error);
  }
}

function named(found) {
  const self = found.panel.patients.find((patient) => patient.relation === "本人") ?? found.panel.patients[0];
  if (self) names.set(found.id, self.name);
  found.name = names.get(found.id) ?? found.visitor;
}

async function refetch() {
  const found = await get(`chats/${chat.opened().id}`);
  if (found.id !== chat.opened()?.id) return;
  named(found);
  chat.show(found, { stay: true });
  showPanel(found.panel);
}

let panelTimer = 0;

function refreshPanel() {
  clearTimeout(panelTimer);
  panelTimer = setTimeout(async () => {
    const open = chat.opened();
    if (!open) return;
    const found = await get(`chats/${open.id}/panel`).catch(() => null);
    if (found && chat.opened()?.id === open.id) showPanel(found);
  }, 600);
}

async function take(id) {
  try {
    await post(`chats/${id}/take`);
    await openChat(id);
  } catch (error) {
    told(error);
  } finally {
    wake();
  }
}

async function takeNext() {
  try {
    const taken = await post("take-next");
    await openChat(taken.chat);
  } catch (error) {
    told(error);
  } finally {
    wake();
  }
}

async function takeOver() {
  const { id, holder, holder_name: name } = chat.opened();
  const from = holder === "agent" ? name : "智能客服";
  if (!confirm(`确定从${from}接管这个会话吗？患者会看到由您接待的说明。`)) return;
  try {
    await post(`chats/${id}/take-over`);
    await openChat(id);
  } catch (error) {
    told(error);
  } finally {
    wake();
    loadAll();
  }
}

async function seeAlert(id) {
  try {
    await post(`alerts/${id}/seen`);
    lists.alerts = lists.alerts.filter((alert) => alert.id !== id);
    draw();
  } catch (error) {
    told(error);
  } finally {
    wake();
  }
}

async function loadAll() {
  if (me?.role !== "supervisor" || !byId("all-box").open) return;
  const found = await get("chats").catch(() => null);
  if (!found || !me) return;
  all = found.chats;
  draw();
}

function told(error) {
  if (!(error instanceof Failure)) throw error;
  if (error.status === 401) showGate(error.message);
  else toast(error.message);
}

byId("take").addEventListener("click", () => take(chat.opened().id));
byId("take-over").addEventListener("click", takeOver);
byId("take-next").addEventListener("click", takeNext);
byId("all-box").addEventListener("toggle", loadAll);
byId("back").addEventListener("click", () => (document.body.dataset.view = "lists"));
byId("show-panel").addEventListener("click", () => (document.body.dataset.view = "panel"));
byId("panel-back").addEventListener("click", () => (document.body.dataset.view = "chat"));

byId("earlier").addEventListener("click", async () => {
  const open = chat.opened();
  try {
    const found = await get(`chats/${open.id}/lines?before=${open.first}`);
    if (chat.opened()?.id === open.id) chat.prepend(found);
  } catch (error) {
    told(error);
  }
});

byId("give-back").addEventListener("click", () => {
  if (chat.unsent()) return toast("还有回复没有发出，请先处理。");
  byId("ending-form").reset();
  byId("ending-error").textContent = "";
  byId("ending").showModal();
  return undefined;
});

byId("ending-cancel").addEventListener("click", () => byId("ending").close());

byId("ending-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const open = chat.opened();
  const outcome = new FormData(event.target).get("outcome");
  try {
    await post(`chats/${open.id}/give-back`, { outcome });
    byId("ending").close();
    chat.close();
    showPanel(null);
    document.body.dataset.view = "lists";
    toast("已转回智能客服。");
  } catch (error) {
    if (error.status === 401) return told(error);
    byId("ending-error").textContent = error.message;
  } finally {
    wake();
    loadAll();
  }
  return undefined;
});

byId("sound").addEventListener("click", () => {
  sound.turn(!sound.isOn());
  sound.allow();
  drawSound();
});

function drawSound() {
  byId("sound").setAttribute("aria-pressed", String(sound.isOn()));
  byId("sound").textContent = sound.isOn() ? "提示音：开" : "提示音：关";
}

// ---- keys, presence, clocks

document.addEventListener("keydown", (event) => {
  if (!me || !event.altKey || event.ctrlKey || event.metaKey || event.isComposing || event.code !== "KeyT") return;
  event.preventDefault();
  if (!byId("ending").open) takeNext();
});

for (const kind of ["keydown", "pointerdown", "touchstart"]) {
  document.addEventListener(kind, () => (acted = Date.now()), { passive: true, capture: true });
}
document.addEventListener("pointerdown", sound.allow, { once: true });

async function beat() {
  if (!me) return;
  const active = Date.now() - acted < BEAT * 2;
  await post("heartbeat", { active }).catch((error) => error.status === 401 && me && showGate(error.message));
}

setInterval(beat, BEAT);
setInterval(() => me && tick(), 1000);
setInterval(loadAll, 5000);
setInterval(() => lists.alerts.some((alert) => alert.definite && clock() - Date.parse(alert.at) > 10_000) && sound.danger(), 8000);

document.addEventListener("visibilitychange", () => {
  if (document.hidden || !me) return;
  markSeen();
  draw();
  wake();
});
window.addEventListener("online", wake);
window.addEventListener("beforeunload", (event) => {
  if (chat.unsent()) event.preventDefault();
});

drawSound();
enter();
