// Tones made by the browser itself: two high ones for danger, one soft one for news.

import { kept } from "./dom.js";

let context = null;
let on = kept.get("sound") !== "off";

export const isOn = () => on;

export function turn(wanted) {
  on = wanted;
  kept.set("sound", on ? "on" : "off");
}

/** Browsers allow sound only after a press: call this from one. */
export function allow() {
  const Context = window.AudioContext ?? window.webkitAudioContext;
  if (!Context) return;
  context ??= new Context();
  if (context.state === "suspended") context.resume().catch(() => {});
}

function tone(pitch, start, length, loud) {
  const source = context.createOscillator();
  const volume = context.createGain();
  const begin = context.currentTime + start;
  source.frequency.value = pitch;
  volume.gain.setValueAtTime(0.0001, begin);
  volume.gain.exponentialRampToValueAtTime(loud, begin + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.0001, begin + length);
  source.connect(volume).connect(context.destination);
  source.start(begin);
  source.stop(begin + length + 0.05);
}

export function danger() {
  if (!on || context?.state !== "running") return;
  for (const start of [0, 0.5]) {
    tone(988, start, 0.22, 0.3);
    tone(740, start + 0.24, 0.22, 0.3);
  }
}

export function soft() {
  if (!on || context?.state !== "running") return;
  tone(660, 0, 0.18, 0.08);
}
