// The lists on the left and the alerts on top.

import { ageOf, byId, el, sync, timeText } from "./dom.js";

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

export function showMine(items, openedId, names, unreadOf, open) {
  byId("mine-count").textContent = items.length;
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
          item.waits_since && ageOf(item.waits_since, "待回复 ", [60, 180]),
        ),
        el("span", { class: "preview" }, item.preview || "（还没有文字消息）"),
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
          el("span", { class: "place" }, String(item.place)),
          el("b", {}, item.visitor),
          URGENCY[item.urgency] && el("span", { class: `tag ${item.urgency}` }, URGENCY[item.urgency]),
          ageOf(item.since, "已等 "),
        ),
        el("span", { class: "reason" }, item.reason),
        el("span", { class: "preview" }, item.preview || "（还没有文字消息）"),
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
          item.away && el("span", { class: "tag high" }, "已离开座位"),
          el("time", { class: "dim push", datetime: item.updated_at }, timeText(item.updated_at)),
        ),
        el("span", { class: "preview" }, item.preview || "（还没有文字消息）"),
      ]),
  );
}

export function showAlerts(items, more, { look, take, seen }) {
  const box = byId("alerts");
  box.hidden = items.length === 0;
  byId("alerts-more").hidden = more === 0;
  byId("alerts-more").textContent = more ? `还有${more}条警示未查看，处理后会依次显示。` : "";
  sync(
    byId("alert-list"), items, (item) => item.id,
    () => el("li", {}),
    (row, item) => {
      const mark = JSON.stringify(item);
      if (row.dataset.mark === mark) return;
      row.dataset.mark = mark;
      row.className = item.definite ? "alert definite" : "alert doubtful";
      const where = { bot: "智能客服接待中", queue: "排队中" }[item.holder] ?? (item.mine ? "您正在接待" : `${item.holder_name}接待中`);
      row.replaceChildren(
        el("span", { class: "alert-sign", "aria-hidden": "true" }, "!"),
        el("div", { class: "alert-words" },
          el("p", { class: "alert-head" },
            el("b", {}, `危险信号：${item.name}`),
            el("span", {}, item.definite ? "明确" : "存疑，请判断是否需要介入"),
            el("span", {}, `${item.visitor}，${where}`),
            ageOf(item.at, "已过 ", [60, 61]),
          ),
          el("p", { class: "alert-text" }, item.text ? `“${item.text}”` : ""),
        ),
        el("div", { class: "alert-acts" },
          (item.holder === "queue" || item.holder === "bot") &&
            el("button", { type: "button", class: "strong", onclick: () => take(item.conversation) }, "立即接入"),
          (item.holder !== "agent" || item.mine) &&
            el("button", { type: "button", class: "soft", onclick: () => look(item.conversation) }, "查看"),
          el("button", { type: "button", class: "soft", onclick: () => seen(item.id) }, "已知悉"),
        ),
      );
    },
  );
}
