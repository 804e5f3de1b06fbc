// Lines on their way to the patient: each once, in order, kept until the server has said yes.

import { Failure, post, postFile, withQuery } from "./api.js";
import { newId, sleep, toast } from "./dom.js";
import { clock } from "./times.js";

const RETRY = [800, 2500]; // milliseconds before the second and the third try

const sending = new Map(); // conversation → lines that the server has not confirmed, oldest first
const queues = new Map(); // conversation → promise of the line before: order is kept
let changed = () => {}; // (conversation): show them anew
let arrived = () => false; // (conversation, seq): is the server's copy shown already?
let advised = () => {}; // (conversation, line, warnings): nothing was sent

export function begin(wanted) {
  ({ changed, arrived, advised } = wanted);
}

export const pendingOf = (id) => sending.get(id) ?? [];
export const unsent = (id) =>
  [...sending].reduce((count, [chat, lines]) => count + (id === undefined || chat === id ? lines.length : 0), 0);

export function forget() {
  sending.clear();
  queues.clear();
}

/** Send a text, or a picture with its words in `text`. */
export function send(id, { text, file = null, despite = false }) {
  const line = { id: newId(), text, file, despite, state: "sending", note: "发送中……", at: new Date(clock()).toISOString(), retry: true };
  sending.set(id, [...pendingOf(id), line]);
  changed(id);
  inOrder(id, line);
}

/** The server's copy of a line has come: ours goes. */
export function lineOf(id, clientId) {
  sending.set(id, pendingOf(id).filter((line) => line.id !== clientId));
}

export function again(id, line) {
  Object.assign(line, { state: "sending", note: "发送中……" });
  changed(id);
  inOrder(id, line);
}

export function drop(id, line) {
  remove(id, line);
  changed(id);
}

function remove(id, line) {
  sending.set(id, pendingOf(id).filter((each) => each !== line));
}

/** One line after the other, also while the network stumbles. */
function inOrder(id, line) {
  const before = queues.get(id) ?? Promise.resolve();
  queues.set(id, before.then(() => deliver(id, line)));
}

function carry(id, line) {
  if (line.file) return postFile(withQuery(`chats/${id}/picture`, { client_id: line.id, alt: line.text }), line.file);
  return post(`chats/${id}/say`, { text: line.text, client_id: line.id, despite: line.despite });
}

async function deliver(id, line) {
  for (let tries = 0; ; tries += 1) {
    try {
      const said = await carry(id, line);
      if (said.warnings) {
        remove(id, line);
        advised(id, line, said.warnings);
        return;
      }
      Object.assign(line, { note: "已发送", state: "sent" });
      // The line itself comes with the news; until then this one stands for it.
      if (arrived(id, said.seq)) remove(id, line);
      changed(id);
      return;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const passing = error.status === 0 || error.status >= 500;
      if (passing && tries < RETRY.length) {
        await sleep(RETRY[tries]);
        continue;
      }
      Object.assign(line, { state: "failed", retry: passing || error.status === 401 || error.code === "quota", note: passing ? "没有发出，请检查网络" : error.message });
      if (!changed(id)) toast("有一条回复没有发出，请回到会话查看。");
      return;
    }
  }
}
