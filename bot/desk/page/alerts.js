// Danger signs that nobody has looked at: on top of every page, never folded away.

import { byId, el, press, sync } from "./dom.js";
import { may } from "./session.js";
import { ageOf } from "./times.js";

export function showAlerts(items, more, { look, take, seen }) {
  byId("alerts").hidden = items.length === 0;
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
      const serves = may("serve");
      row.replaceChildren(
        el("span", { class: "alert-sign", "aria-hidden": "true" }, "!"),
        el("div", { class: "alert-words" },
          el("p", { class: "alert-head" },
            el("b", {}, `危险信号：${item.name}`),
            el("span", {}, item.definite ? "明确" : "存疑，请判断是否需要介入"),
            el("span", {}, `${item.visitor}，${where}`),
            item.for_me ? el("span", { class: "called" }, "超过60秒无人查看，请您马上处理") : item.escalated ? el("span", {}, "已提醒第二位同事") : "",
            ageOf(item.at, "已过 ", [60, 61]),
          ),
          el("p", { class: "alert-text" }, item.text ? `“${item.text}”` : ""),
        ),
        el("div", { class: "alert-acts" },
          serves && (item.holder === "queue" || item.holder === "bot") ? press("立即接入", () => take(item.conversation), "strong") : "",
          may("read_chats") && (item.holder !== "agent" || item.mine) ? press("查看", () => look(item.conversation), "soft") : "",
          serves ? press("已知悉", () => seen(item.id), "soft") : "",
        ),
      );
    },
  );
}

/** Read new alerts out to those who do not see the screen. */
export function sayAlerts(raised) {
  byId("alerts-said").textContent = raised.map((alert) => `危险信号：${alert.name}，${alert.visitor}`).join("；");
}
