// The page of conversations: lists, the open talk and its panel, and what goes on between them.

import { Failure, get, post } from "./api.js";
import { giveBack, transfer, unmask } from "./acts.js";
import * as chat from "./chat.js";
import * as composer from "./composer.js";
import { byId, kept, toast } from "./dom.js";
import { sure } from "./forms.js";
import { showAll, showMine, showQueue } from "./lists.js";
import { amend, lists, wake } from "./news.js";
import { openTab, refresh, showPanel, summary } from "./panel.js";
import * as person from "./person.js";
import { go, place } from "./places.js";
import * as quota from "./quota.js";
import * as search from "./search.js";
import * as sending from "./sending.js";
import { attempt, may, told } from "./session.js";
import { tabs } from "./tables.js";

let all = [];
let opening = 0; // the newest wish to open a conversation wins
let last = null; // the conversation that was open before
let panelTimer = 0;
const names = new Map(); // conversation → masked name, as far as it was opened here
let seen = new Map(Object.entries(JSON.parse(kept.get("seen") ?? "{}"))); // no words of a patient are kept in the browser

const view = (name) => (document.body.dataset.view = name);
export const opened = () => chat.opened();

const turnList = tabs(byId("list-tabs"), (key) => {
  for (const each of ["queue", "mine", "all"]) byId(`${each}-box`).hidden = each !== key;
  if (key === "all") loadAll();
});

/** The lists have come into view; the address may name a conversation. */
export function arrive({ chat: id, seq }) {
  byId("tab-all").hidden = !may("see_all");
  if (id && id !== chat.opened()?.id) open(id, { seq: Number(seq) || 0 });
}

export function draw() {
  const id = chat.opened()?.id;
  showMine(lists.mine, id, names, unread, open);
  showQueue(lists.queue, id, open, take);
  showAll(all, id, open);
}

export function forget() {
  composer.turnTo(null);
  composer.forget();
  sending.forget();
  chat.close();
  showPanel(null, null);
  search.close();
  byId("search-words").value = "";
  names.clear();
  all = [];
  last = null;
  draw();
  view("lists");
}

// ---- news of the open conversation

export async function receive(found) {
  const open = chat.opened();
  if (!found || open?.id !== found.id) return;
  if (found.gone) {
    shut();
    toast(found.holder_name ? `这位患者已由${found.holder_name}接待。` : "这个会话已由智能客服继续接待。");
    return;
  }
  const held = open.mine;
  if (!chat.receive(found.lines)) await refetch();
  else chat.state(found);
  chat.marks(found.read, Boolean(found.typing));
  if (found.mine) quota.show(found.quota);
  followPerson();
  const others = found.lines.some((line) => line.sender !== "agent");
  if (others || held !== found.mine) refreshPanel();
  if (held !== found.mine) turn();
  else if (found.mine && found.lines.some((line) => line.sender === "patient")) composer.suggest(open.id);
}

/** He has just written on another channel: the desk goes with him, unless an answer is being written here. */
function followPerson() {
  const wrote = person.show(chat.opened());
  if (!wrote || !composer.empty()) return;
  toast(`患者在${wrote.channel}上写了，已为您转到${wrote.channel}的会话。`);
  open(wrote.id);
}

export const unread = (item) => item.unanswered.filter((seq) => seq > (seen.get(item.id) ?? 0)).length;

/** What stands on the screen counts as read, for the patient too. */
export function markSeen() {
  const open = chat.opened();
  if (!open || document.hidden || place() !== "talks" || (seen.get(open.id) ?? 0) >= open.last) return;
  seen.set(open.id, open.last);
  if (open.mine) post(`chats/${open.id}/read`, { seq: open.last }).catch(() => {});
  const held = new Set(lists.mine.map((item) => item.id));
  seen = new Map([...seen].filter(([id]) => held.has(id) || id === open.id));
  kept.set("seen", JSON.stringify(Object.fromEntries(seen)));
}

// ---- opening and doing

export async function open(id, { focus = true, seq = 0 } = {}) {
  opening += 1;
  const wish = opening;
  const found = await attempt(() => get(`chats/${id}`));
  if (!found || wish !== opening) return;
  if (place() !== "talks") await go("talks");
  show(found);
  if (found.mine) turnList("mine");
  view("chat");
  markSeen();
  draw();
  wake();
  if (seq && !chat.reveal(seq)) await earlierUntil(seq);
  if (focus) (found.mine ? byId("draft") : byId("chat-name")).focus();
}

function show(found, how = {}) {
  const self = found.panel.patients.find((patient) => patient.relation === "本人") ?? found.panel.patients[0];
  if (self) for (const id of [found.id, ...found.talks.map((talk) => talk.id)]) names.set(id, self.name);
  chat.show({ ...found, name: names.get(found.id) ?? found.visitor }, how);
  showPanel(chat.opened(), found.panel);
  person.show(chat.opened());
  turn();
}

/** The box under the talk follows it. */
function turn() {
  const open = chat.opened();
  composer.turnTo(open, last);
  last = open?.id ?? null;
}

async function refetch() {
  const found = await get(`chats/${chat.opened().id}`);
  if (found.id === chat.opened()?.id) show(found, { stay: true });
}

function refreshPanel() {
  clearTimeout(panelTimer);
  panelTimer = setTimeout(refresh, 600);
}

function shut() {
  chat.close();
  turn();
  showPanel(null, null);
  view("lists");
  draw();
}

/** Do a deed with a conversation and open it; the lists are asked for anew either way. */
async function taking(deed) {
  try {
    const taken = await deed();
    await open(taken.chat);
  } catch (error) {
    if (error instanceof Failure && error.code === "nobody_waits") turnList("queue");
    told(error);
  } finally {
    wake();
    loadAll();
  }
}

export const take = (id) => taking(() => post(`chats/${id}/take`));
export const takeNext = () => taking(() => post("take-next"));

async function takeOver() {
  const { id, holder, holder_name: name } = chat.opened();
  const from = holder === "agent" ? name : "智能客服";
  if (await sure("接管会话", `从${from}接管这个会话，患者会看到由您接待的说明。`, "接管")) await taking(() => post(`chats/${id}/take-over`));
}

async function ending(deed) {
  const open = chat.opened();
  if (open?.mine && (await deed(open))) shut();
  wake();
  loadAll();
}

export const end = () => ending((open) => giveBack(open, summary()));
const hand = () => ending(transfer);

export async function seeAlert(id) {
  await attempt(async () => {
    await post(`alerts/${id}/seen`);
    amend({ alerts: lists.alerts.filter((alert) => alert.id !== id) });
  });
  wake();
}

export async function loadAll() {
  if (!may("see_all") || byId("all-box").hidden) return;
  const found = await get("chats").catch(() => null);
  if (!found) return;
  all = found.chats;
  draw();
}

/** Open the talk above or below in the list of one's own. */
export function step(by) {
  const ids = lists.mine.map((item) => item.id);
  if (!ids.length) return;
  turnList("mine");
  const now = ids.indexOf(chat.opened()?.id);
  open(ids[now < 0 ? 0 : (now + by + ids.length) % ids.length]);
}

/** Bring a part of the panel into view and put the cursor there. */
export function panelAt(key, wanted) {
  if (!chat.opened()) return;
  view("panel");
  openTab(key);
  byId("panel-body").querySelector(wanted)?.focus();
}

async function earlier() {
  const open = chat.opened();
  const found = await attempt(() => get(`chats/${open.id}/lines?before=${open.first}`));
  if (found && chat.opened()?.id === open.id) chat.prepend(found);
  return Boolean(found);
}

async function earlierUntil(seq) {
  while (chat.opened() && chat.opened().first > seq) if (!(await earlier())) return;
  chat.reveal(seq);
}

// ---- wiring

chat.begin((seq) => attempt(() => unmask(`chats/${chat.opened().id}/unmask`, { seq })));
search.begin({ openLine: (id, seq) => open(id, { seq, focus: false }), openTicket: (id) => go("tickets", { ticket: id }) });
person.begin(open);
quota.begin((key) => panelAt(key, { facts: ".rows button", tickets: "#new-ticket", notes: "textarea" }[key]));
sending.begin({
  changed: (id) => {
    if (chat.opened()?.id !== id) return false;
    chat.showPending();
    return true;
  },
  arrived: (id, seq) => chat.opened()?.id !== id || chat.hasLine(seq),
  advised: (id, line, warnings) => {
    if (chat.opened()?.id === id) chat.showPending();
    composer.advise(id, line, warnings);
  },
});

byId("take").addEventListener("click", () => take(chat.opened().id));
byId("take-over").addEventListener("click", takeOver);
byId("take-next").addEventListener("click", takeNext);
byId("transfer").addEventListener("click", hand);
byId("give-back").addEventListener("click", end);
byId("earlier").addEventListener("click", earlier);
byId("back").addEventListener("click", () => view("lists"));
byId("show-panel").addEventListener("click", () => view("panel"));
byId("panel-back").addEventListener("click", () => view("chat"));
setInterval(loadAll, 5000);
