// What each person chooses for himself in this browser: tones, notices of the system, contrast.

import { byId, kept, toast } from "./dom.js";
import { ask } from "./forms.js";
import * as sound from "./sound.js";

const able = "Notification" in window;
const noticesOn = () => able && Notification.permission === "granted" && kept.get("notices") === "on";

/** Show a notice of the system while the page is out of sight. Never with words or names of a patient. */
export function notice(title, body, mark) {
  if (!noticesOn() || !document.hidden) return;
  const shown = new Notification(title, { body, tag: mark, icon: "/desk/icon.svg", lang: "zh-CN" });
  shown.onclick = () => {
    window.focus();
    shown.close();
  };
}

export function applyContrast() {
  document.body.dataset.contrast = kept.get("contrast") ?? "normal";
}

async function allowNotices(wanted) {
  if (!wanted) return kept.set("notices", "off");
  const answer = able ? await Notification.requestPermission() : "denied";
  kept.set("notices", answer === "granted" ? "on" : "off");
  if (answer !== "granted") toast("浏览器没有允许桌面通知，可以在浏览器的网站设置里打开。");
  return undefined;
}

byId("settings").addEventListener("click", () =>
  ask({
    title: "设置",
    lead: "只影响您在这台电脑上的工作台。",
    fields: [
      { name: "sound", label: "提示音：有新患者、新消息和危险警示时响", kind: "check", value: sound.isOn(), wide: true },
      { name: "notices", label: "桌面通知：页面不在眼前时提醒，不显示患者内容", kind: "check", value: noticesOn(), wide: true },
      { name: "contrast", label: "高对比显示", kind: "check", value: kept.get("contrast") === "more", wide: true },
    ],
    done: "保存",
    save: async (values) => {
      sound.turn(values.sound);
      sound.allow();
      kept.set("contrast", values.contrast ? "more" : "normal");
      applyContrast();
      await allowNotices(values.notices);
      return values;
    },
  }));
