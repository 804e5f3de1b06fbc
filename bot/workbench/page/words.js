// Labels and entities with their Chinese names, and a search that knows pinyin initials.

import { get } from "./api.js";

export let labels = [];
export let entities = {};
export let reasons = {};
let byLabel = new Map();
const recent = [];

export async function loadLabels() {
  const found = await get("labels");
  ({ labels, entities, reasons } = found);
  byLabel = new Map(labels.map((each) => [each.label, each]));
}

export const labelOf = (name) => byLabel.get(name);
export const titleOf = (name) => byLabel.get(name)?.title ?? (name === "nlu_fallback" ? "没有把握" : name || "未识别");

/** Remember what was chosen: it is proposed again. */
export function used(name) {
  const at = recent.indexOf(name);
  if (at >= 0) recent.splice(at, 1);
  recent.unshift(name);
  recent.length = Math.min(recent.length, 9);
}

/** The nine labels on the number keys: what the model guessed, what lines like it have, what was used last. */
export function proposals(guess, near) {
  const all = [guess, ...near, ...recent].filter((name) => byLabel.has(name));
  return [...new Set(all)].slice(0, 9);
}

/** Labels that fit what is typed: Chinese title, pinyin initials, or the label itself; the best first. */
export function search(typed) {
  const words = typed.trim().toLowerCase();
  if (!words) return [];
  const score = (each) => {
    if (each.title.startsWith(words)) return 0;
    if (each.title.includes(words)) return 1;
    if (each.initials.startsWith(words)) return 2;
    if (each.initials.includes(words)) return 3;
    if (each.label.includes(words)) return 4;
    return each.group.includes(words) ? 5 : 9;
  };
  return labels
    .map((each) => [score(each), each])
    .filter(([points]) => points < 9)
    .sort((a, b) => a[0] - b[0] || b[1].examples - a[1].examples)
    .slice(0, 12)
    .map(([, each]) => each);
}
