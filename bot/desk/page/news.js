// One wire brings all news: the lists, and the lines of the conversation that is open. It is a WebSocket; where a proxy
// lets none through, long polls of the same news.

import { BASE, Failure, get, withQuery } from "./api.js";
import { toast } from "./dom.js";
import { leave } from "./session.js";
import { setClock } from "./times.js";

const WAIT = 20; // seconds of a long poll
const SILENCE = 30_000; // milliseconds after which a wire counts as cut: the server says something every 20 s
const ANSWER = 8_000; // milliseconds for the first frame, and for the answer to a question
const MOST_POLLS = 64; // between two tries to open a socket
const NOTHING = { alerts: [], alerts_more: 0, queue: [], mine: [], tickets: {} };

export let lists = NOTHING;
let version = "";
let round = 0; // a later sign-in ends the loop of an earlier one
let hang = () => {}; // ends the wire, the poll or the pause under way
let ask = () => {}; // has it look at once
let opened = () => null; // gives {id, last} of the open conversation
let take = async () => {}; // receives {before, lists, chat}
let link = () => {}; // hears whether the line stands

/** Say who wants the news: `opened` gives the open conversation, `take` receives, `link` hears of broken lines. */
export function listen(wanted) {
  ({ opened, take, link } = wanted);
}

export function stop() {
  round += 1;
  hang();
  lists = NOTHING;
  version = "";
}

/** Ask anew at once: something was done, or another conversation was opened. */
export const wake = () => ask();

/** Change the lists before the server says so, such as an alert that was just seen. */
export function amend(change) {
  lists = { ...lists, ...change };
}

export async function follow() {
  round += 1;
  const mine = round;
  version = "";
  let failures = 0; // in a row
  let polls = 0; // to be made before the next socket
  let more = 1; // polls after the next socket that does not open
  const arrived = async (found) => {
    if (mine !== round) return;
    if (failures) toast("已重新连接，消息已更新。");
    failures = 0;
    link(true);
    await receive(found);
  };
  while (mine === round) {
    try {
      if (polls) {
        polls -= 1;
        await poll(failures ? 0 : WAIT, arrived);
        continue;
      }
      const stood = await wire(arrived);
      polls = stood ? 0 : more;
      more = stood ? 1 : Math.min(MOST_POLLS, more * 2);
    } catch (error) {
      if (mine !== round || error.code === "stopped") continue;
      if (!(error instanceof Failure)) throw error;
      if (error.status === 401) {
        leave(error.message);
        return;
      }
      version = "";
    }
    if (mine !== round) return;
    failures += 1;
    link(false);
    await pause(Math.min(8000, 500 * 2 ** failures) * (0.5 + Math.random() / 2));
  }
}

/** What the page has: the talk that is open, the last line of it, the lists. */
function known(extra = {}) {
  const open = opened();
  return { chat: open?.id, since: open?.last, ...extra };
}

/** Follow one socket to its end and tell whether it ever stood. Raises Failure when the server or `arrived` says so. */
function wire(arrived) {
  return new Promise((done, fail) => {
    const asked = JSON.stringify(known());
    const address = new URL(withQuery(`${BASE}wire`, known({ version })), location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    let stood = false;
    let order = Promise.resolve(); // one frame after the other
    let timer = 0;
    const expect = (milliseconds) => {
      clearTimeout(timer);
      timer = setTimeout(end, milliseconds);
    };
    const end = (failure) => {
      clearTimeout(timer);
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
      order.then(() => (failure instanceof Error ? fail(failure) : done(stood)));
    };
    hang = end;
    ask = () => {
      if (socket.readyState !== WebSocket.OPEN) return;
      socket.send(JSON.stringify(known()));
      expect(ANSWER);
    };
    socket.onopen = () => JSON.stringify(known()) !== asked && ask(); // another talk was opened meanwhile
    socket.onclose = end;
    socket.onmessage = ({ data }) => {
      const found = JSON.parse(data);
      if (found.type === "error") {
        end(new Failure(found.code === "signed_out" ? 401 : 400, found.code, found.message));
        return;
      }
      stood = true;
      expect(SILENCE);
      order = order.then(() => arrived(found)).catch(end);
    };
    expect(ANSWER);
  });
}

async function poll(wait, arrived) {
  const stop = new AbortController();
  hang = ask = () => stop.abort();
  await arrived(await get(withQuery("news", known({ version, wait })), { signal: stop.signal, seconds: wait + 10 }));
}

const pause = (milliseconds) =>
  new Promise((done) => {
    hang = ask = done;
    setTimeout(done, milliseconds);
  });

async function receive(found) {
  setClock(found.now);
  version = found.version;
  const before = lists;
  if (found.desk) lists = { ...lists, ...found.desk };
  await take({ before, lists, chat: found.chat });
}
