// The lists on the left: who waits, my conversations, all of them.

import { byId, el, sync, tag } from "./dom.js";
import { ageOf, timeText } from "./times.js";

const URGENCY = { danger: "危险信号", high: "优先", normal: "" };

function chatRow(item, open) {
  const button = el("button", { type: "button", class: "item", onclick: () => open(button.dataset.chat) });
  button.dataset.chat = item.id;
  return el("li", {}, button);
}

function fill(row, opened, label, parts) {
  const button = row.firstElementChild;
  const mark = JSON.stringify(label) + (opened ? "*" : "");
  if (button.dataset.mark === mark) return;
  button.dataset.mark = mark;
  button.classList.toggle("opened", opened);
  if (opened) button.setAttribute("aria-current", "true");
  else button.removeAttribute("aria-current");
  button.replaceChildren(...parts().filter(Boolean));
}

const preview = (item) => el("span", { class: "preview" }, item.preview || "（还没有文字消息）");

export function showMine(items, openedId, names, unreadOf, open) {
  byId("mine-count").textContent = items.length;
  byId("mine-count").classList.toggle("hot", items.some((item) => unreadOf(item)));
  byId("mine-empty").hidden = items.length > 0;
  sync(
    byId("mine"), items, (item) => item.id,
    (item) => chatRow(item, open),
    (row, item) => {
      const unread = unreadOf(item);
      const name = names.get(item.id) ?? item.visitor;
      row.firstElementChild.classList.toggle("unread", unread > 0);
      fill(row, item.id === openedId, [item, unread, name], () => [
        el("span", { class: "line" },
          el("b", {}, name),
          el("span", { class: "dim" }, item.channel),
          unread > 0 && el("span", { class: "badge", title: "未读消息" }, el("span", { class: "unseen" }, "未读"), String(unread)),
          item.waits_since ? ageOf(item.waits_since, "待回复 ", [60, 180]) : el("span", { class: "dim push" }, "已回复"),
        ),
        preview(item),
      ]);
    },
  );
}

export function showQueue(items, openedId, open, take) {
  byId("queue-count").textContent = items.length;
  byId("queue-count").classList.toggle("hot", items.length > 0);
  byId("queue-empty").hidden = items.length > 0;
  byId("take-next").disabled = items.length === 0;
  sync(
    byId("queue"), items, (item) => item.id,
    (item) => {
      const row = chatRow(item, open);
      const button = el("button", { type: "button", class: "small plainly take", onclick: () => take(item.id) }, "接入");
      button.setAttribute("aria-label", `接入${item.visitor}`);
      row.append(button);
      return row;
    },
    (row, item) => {
      row.className = `queued ${item.urgency}`;
      fill(row, item.id === openedId, item, () => [
        el("span", { class: "line" },
          el("span", { class: "place-no", title: "排队位置" }, String(item.place)),
          el("b", {}, item.visitor),
          URGENCY[item.urgency] && tag(URGENCY[item.urgency], item.urgency),
          item.skill_name && tag(item.skill_name, "info"),
          ageOf(item.since, "已等 "),
        ),
        el("span", { class: "reason" }, item.reason, item.wait > 0 && `　约${item.wait}分钟后轮到`),
        preview(item),
      ]);
    },
  );
}

export function showAll(items, openedId, open) {
  byId("all-count").textContent = items.length;
  byId("all-empty").hidden = items.length > 0;
  sync(
    byId("all"), items, (item) => item.id,
    (item) => chatRow(item, open),
    (row, item) =>
      fill(row, item.id === openedId, item, () => [
        el("span", { class: "line" },
          el("b", {}, item.visitor),
          el("span", { class: "dim" }, item.holder === "bot" ? "智能客服" : item.holder_name),
          item.away && tag("已离开座位", "high"),
          el("time", { class: "dim push", datetime: item.updated_at }, timeText(item.updated_at)),
        ),
        preview(item),
      ]),
  );
}
