// Fields and dialogs: one way to ask a person for a few things.

import { Failure } from "./api.js";
import { el, fill, press } from "./dom.js";
import { told } from "./session.js";

let count = 0;

/** Make a labelled field.
 *
 * `field`: {name, label, kind, options: [[value, name]], value, required, hint, rows, ...attributes}; kind is one of
 * text (default), area, select, radio, checks, check, number, date, password, tel, file.
 */
export function fieldRow(field) {
  const { name, label, kind = "text", options = [], value = "", required = false, hint = "", wide = false, ...rest } = field;
  count += 1;
  const id = `field-${count}`;
  const help = hint && el("span", { class: "hint", id: `${id}-hint` }, hint);
  const given = { id, name, required, "aria-describedby": hint ? `${id}-hint` : null, ...rest };
  const star = required && el("span", { class: "star", "aria-hidden": "true" }, " *");
  const look = `field${wide ? " wide" : ""}`;
  if (kind === "radio" || kind === "checks") {
    const type = kind === "radio" ? "radio" : "checkbox";
    const chosen = new Set([value].flat().map(String));
    const choices = options.map(([key, text]) => {
      const box = el("input", { type, name, value: key, required: kind === "radio" && required });
      box.checked = chosen.has(String(key));
      return el("label", {}, box, text);
    });
    return el("fieldset", { class: look }, el("legend", {}, label, star), help, el("div", { class: "choose" }, choices));
  }
  if (kind === "check") {
    const box = el("input", { type: "checkbox", ...given });
    box.checked = Boolean(value);
    return el("div", { class: `${look} single` }, el("label", {}, box, label), help);
  }
  return el("div", { class: look }, el("label", { for: id }, label, star), control(kind, options, value, given), help);
}

function control(kind, options, value, given) {
  if (kind === "select") {
    const made = el("select", given, options.map(([key, text]) => el("option", { value: key }, text)));
    made.value = value ?? "";
    return made;
  }
  if (kind === "area") return el("textarea", { rows: 4, ...given, value });
  return el("input", { type: kind, ...given, value: kind === "file" ? null : value });
}

/** Give what a form holds: checks as lists, check as true or false, file as the file, numbers as numbers or null. */
export function valuesOf(form, fields) {
  const data = new FormData(form);
  return Object.fromEntries(
    fields.map(({ name, kind }) => {
      if (kind === "checks") return [name, data.getAll(name)];
      if (kind === "check") return [name, data.has(name)];
      const value = data.get(name) ?? "";
      if (kind === "file") return [name, value];
      if (kind === "number") return [name, value === "" ? null : Number(value)];
      return [name, String(value).trim()];
    }),
  );
}

/** Show what the language rules say about a draft: the words, the rule, what to write instead. */
export function adviceList(warnings) {
  return el("ul", { class: "warnings" },
    warnings.map((each) =>
      el("li", {}, el("mark", {}, each.fragment), el("span", {}, each.advice), el("span", { class: "rule" }, each.rule))));
}

/** Ask in a dialog and do the deed.
 *
 * `save(values)` does it; its failure is told inside the dialog. When it gives {warnings} nothing was done: they are
 * shown, and the next press saves `despite` them. Gives what `save` gave, or null when the person went back.
 */
export function ask({ title, lead = "", fields = [], body = null, done = "确定", back = "返回", look = "primary", wide = false, save }) {
  return new Promise((settle) => {
    let result = null;
    let despite = false;
    const fault = el("p", { class: "fault", role: "alert" });
    const advice = el("div", { class: "advice", role: "status" });
    const send = el("button", { type: "submit", class: look }, done);
    const form = el("form", { method: "dialog", novalidate: true },
      el("h2", { id: "dialog-title" }, title),
      lead && el("p", { class: "lead" }, lead),
      el("div", { class: "fields" }, fields.map(fieldRow)),
      body, advice, fault,
      el("div", { class: "row" }, back && press(back, () => dialog.close()), send));
    const dialog = el("dialog", { class: `card${wide ? " wide" : ""}`, "aria-labelledby": "dialog-title" }, form);
    form.addEventListener("input", () => {
      if (!despite) return;
      despite = false;
      fill(advice);
      send.textContent = done;
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      fault.textContent = "";
      if (!form.reportValidity()) return;
      send.disabled = true;
      try {
        const values = valuesOf(form, fields);
        const found = save ? await save(despite ? { ...values, despite } : values) : values;
        if (found?.warnings?.length) {
          fill(advice, el("p", { class: "advice-head" }, "用语提示，还没有保存："), adviceList(found.warnings),
            el("p", { class: "advice-foot" }, "可以修改；确认无需修改，请再按一次。"));
          despite = true;
          send.textContent = `仍然${done}`;
          return;
        }
        result = found ?? values;
        dialog.close();
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        fault.textContent = error.message;
        if (error.status === 401) {
          dialog.close();
          told(error);
        }
      } finally {
        send.disabled = false;
      }
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      settle(result);
    });
    document.body.append(dialog);
    dialog.showModal();
    form.querySelector("input, select, textarea")?.focus();
  });
}

/** Ask for a plain yes; gives true or false. */
export const sure = async (title, lead, done = "确定") => (await ask({ title, lead, done, save: async () => ({ yes: true }) })) !== null;

/** Show something to read. */
export const show = (title, body, { wide = false } = {}) => ask({ title, body, done: "知道了", back: "", wide });

export const anyDialog = () => Boolean(document.querySelector("dialog[open]"));

/** Close every dialog: somebody else may sit down here. */
export const closeDialogs = () => document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
