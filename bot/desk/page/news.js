// One long poll brings all news: the lists, and the lines of the conversation that is open.

import { Failure, get, withQuery } from "./api.js";
import { sleep, toast } from "./dom.js";
import { leave } from "./session.js";
import { setClock } from "./times.js";

const WAIT = 20; // seconds of the long poll
const NOTHING = { alerts: [], alerts_more: 0, queue: [], mine: [], tickets: {} };

export let lists = NOTHING;
let version = "";
let poll = null; // the AbortController of the poll under way
let round = 0; // a later sign-in ends the loop of an earlier one
let opened = () => null; // gives {id, last} of the open conversation
let take = async () => {}; // receives {before, lists, chat}
let link = () => {}; // hears whether the line stands

/** Say who wants the news: `opened` gives the open conversation, `take` receives, `link` hears of broken lines. */
export function listen(wanted) {
  ({ opened, take, link } = wanted);
}

export function stop() {
  round += 1;
  poll?.abort();
  lists = NOTHING;
  version = "";
}

/** Ask anew at once: something was done, or another conversation was opened. */
export const wake = () => poll?.abort();

/** Change the lists before the server says so, such as an alert that was just seen. */
export function amend(change) {
  lists = { ...lists, ...change };
}

export async function follow() {
  round += 1;
  const mine = round;
  version = "";
  let failures = 0;
  while (mine === round) {
    const open = opened();
    poll = new AbortController();
    try {
      const query = { version, wait: version ? WAIT : 0, chat: open?.id, since: open?.last };
      const found = await get(withQuery("news", query), { signal: poll.signal, seconds: WAIT + 10 });
      if (mine !== round) return;
      if (failures) toast("已重新连接，消息已更新。");
      failures = 0;
      link(true);
      await receive(found);
    } catch (error) {
      if (mine !== round || error.code === "stopped") continue;
      if (!(error instanceof Failure)) throw error;
      if (error.status === 401) {
        leave(error.message);
        return;
      }
      failures += 1;
      version = "";
      link(false);
      await sleep(Math.min(8000, 500 * 2 ** failures));
    }
  }
}

async function receive(found) {
  setClock(found.now);
  version = found.version;
  const before = lists;
  if (found.desk) lists = { ...NOTHING, ...found.desk };
  await take({ before, lists, chat: found.chat });
}
