// One verified person on several channels: his talks as a switch over the open one, and where an answer goes.

import { byId, el, fill, press } from "./dom.js";
import { momentText } from "./times.js";

let newest = null; // {chat, talk}: where he had written last when the open talk was shown
let open = () => {};

export function begin(wanted) {
  open = wanted;
}

/** Show the talks of the person beside the open one; gives the talk to go to when he has just written in another. */
export function show(chat) {
  const talks = chat?.talks ?? [];
  const before = newest?.chat === chat?.id ? newest.talk : null;
  newest = talks.length ? { chat: chat.id, talk: talks[0].id } : null;
  byId("person").hidden = !talks.length;
  byId("goes-to").hidden = !talks.length || !chat.mine;
  if (!talks.length) return null;
  const [last] = talks;
  const here = last.id === chat.id;
  if (byId("person").dataset.mark !== JSON.stringify(talks) + chat.id) {
    byId("person").dataset.mark = JSON.stringify(talks) + chat.id;
    fill(byId("person"), el("span", { class: "dim" }, "同一位患者"), talks.map((talk, place) => choice(talk, place === 0, talk.id === chat.id)));
    fill(byId("goes-to"), here
      ? `回复会发到${last.channel}，患者最近在这里写。`
      : [`患者最近在${last.channel}上写，从这里发的回复会到${chat.channel}。`, press(`到${last.channel}回复`, () => open(last.id), "small plainly")]);
    byId("goes-to").classList.toggle("elsewhere", !here);
  }
  return before && before !== last.id && !here && last.mine ? last : null;
}

function choice(talk, last, opened) {
  const state = talk.mine ? "由您接待" : { bot: "智能客服", queue: "排队中" }[talk.holder] ?? talk.holder_name;
  const told = [talk.channel, talk.wrote_at && momentText(talk.wrote_at), state, last && "最近"].filter(Boolean).join(" · ");
  return press(told, () => !opened && open(talk.id), "small plainly", { "aria-pressed": String(opened) });
}
