// The words of tickets: kinds, types, states, asked for once and kept.

import { get } from "./api.js";

let words = null;

/** Give the words; raises Failure when the server is not reached. */
export async function ticketWords() {
  words ??= await get("ticket-words");
  return words;
}

/** Give the Chinese name of a code; what is a name already stays. */
export const nameOf = (group, code) => words?.[group]?.[code] ?? code ?? "";
export const stepName = (step) => words.steps[step].name;
/** Give the codes of departments from their names. */
export const departmentCodes = (names) => Object.entries(words.departments).filter(([, name]) => names.includes(name)).map(([code]) => code);
export const pairs = (group, first = null) => [...(first === null ? [] : [["", first]]), ...Object.entries(words?.[group] ?? {})];
export const subtypesOf = (type) => Object.entries(words?.subtypes?.[type] ?? {});
