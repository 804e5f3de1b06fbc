// The workbench's API. Every failure becomes a Failure with words for the person.

import { toast } from "./dom.js";

export class Failure extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status; // 0: the server was not reached
    this.code = code;
  }
}

const BASE = "/workbench/api/";
let csrf = "";

export function setCsrf(token) {
  csrf = token;
}

async function ask(method, path, body) {
  let response;
  try {
    const headers = method === "GET" ? {} : { "content-type": "application/json", "x-csrf-token": csrf };
    response = await fetch(BASE + path, { method, headers, body, credentials: "same-origin", cache: "no-store" });
  } catch {
    throw new Failure(0, "offline", "网络暂时连接不上，请稍后再试。");
  }
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) return answer;
  const error = answer?.error ?? {};
  throw new Failure(response.status, error.code ?? "failed", error.message ?? "系统暂时没有处理成功，请稍后再试一次。");
}

/** Give an answer; empty values of `query` are left out. */
export function get(path, query = {}) {
  const known = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return ask("GET", known.length ? `${path}?${new URLSearchParams(known)}` : path);
}

export const post = (path, body = {}) => ask("POST", path, JSON.stringify(body));

/** Do something for the person and tell him when it fails; gives undefined then. */
export async function attempt(deed) {
  try {
    return await deed();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.status === 401) document.dispatchEvent(new CustomEvent("bench:left", { detail: error.message }));
    else toast(error.message);
    return undefined;
  }
}
