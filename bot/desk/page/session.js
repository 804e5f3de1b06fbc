// Who is signed in, what he may do, and what happens when he no longer is.

import { Failure, get, post, setCsrf } from "./api.js";
import { toast } from "./dom.js";
import { setClock } from "./times.js";

export let me = null;
const BEAT = 20_000;
let acted = Date.now(); // the last key or click

export const may = (right) => Boolean(me?.rights.includes(right));

/** Ask who is signed in; null when nobody is. Raises Failure when the server is not reached. */
export async function whoAmI() {
  try {
    me = await get("me");
  } catch (error) {
    if (error.status !== 401) throw error;
    me = null;
    return null;
  }
  setCsrf(me.csrf);
  setClock(me.now);
  acted = Date.now();
  return me;
}

/** Nobody is signed in any more: the gate hears it and every place forgets what it showed. */
export function leave(message = "") {
  me = null;
  document.dispatchEvent(new CustomEvent("desk:left", { detail: message }));
}

/** Tell the person about a refused or failed deed. Anything else than a Failure is a fault of ours. */
export function told(error) {
  if (!(error instanceof Failure)) throw error;
  if (error.status === 401) leave(error.message);
  else if (error.code !== "stopped") toast(error.message);
}

/** Do something for the person and tell him when it fails; gives undefined then. */
export async function attempt(deed) {
  try {
    return await deed();
  } catch (error) {
    told(error);
    return undefined;
  }
}

for (const kind of ["keydown", "pointerdown", "touchstart"]) {
  document.addEventListener(kind, () => (acted = Date.now()), { passive: true, capture: true });
}

/** Tell the server that the desk is open; only keys and clicks keep the sign-in alive. */
export async function beat() {
  if (!me) return;
  const active = Date.now() - acted < BEAT * 3;
  await post("heartbeat", { active }).catch((error) => error.status === 401 && me && leave(error.message));
}

setInterval(beat, BEAT);
