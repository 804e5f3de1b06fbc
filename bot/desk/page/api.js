// The desk's API. Every failure becomes a Failure with words for the person.

export class Failure extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status; // 0: the server was not reached
    this.code = code;
  }
}

export const BASE = "/desk/api/";
let csrf = "";

export function setCsrf(token) {
  csrf = token;
}

async function ask(method, path, { body, type, signal, seconds = 15 } = {}) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), seconds * 1000);
  const abort = () => stop.abort();
  signal?.addEventListener("abort", abort);
  if (signal?.aborted) abort();
  try {
    const headers = method === "GET" ? {} : { "content-type": type, "x-csrf-token": csrf };
    const given = { method, headers, body, credentials: "same-origin", cache: "no-store", signal: stop.signal };
    const response = await fetch(BASE + path, given);
    const answer = await response.json().catch(() => null);
    if (response.ok && answer) return answer;
    const error = answer?.error ?? {};
    throw new Failure(response.status, error.code ?? "failed", error.message ?? "系统暂时没有处理成功，请稍后再试一次。");
  } catch (error) {
    if (error instanceof Failure) throw error;
    if (signal?.aborted) throw new Failure(0, "stopped", "");
    throw new Failure(0, "offline", "网络暂时连接不上，正在重新连接。");
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

export const get = (path, options) => ask("GET", path, options);
export const post = (path, body = {}) => ask("POST", path, { body: JSON.stringify(body), type: "application/json" });
export const postFile = (path, file) => ask("POST", path, { body: file, type: file.type, seconds: 60 });

/** Give an address with its query; empty values are left out. */
export function withQuery(path, query) {
  const known = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return known.length ? `${path}?${new URLSearchParams(known)}` : path;
}
