/** The screens' words: one module a language and part, loaded when wanted. A missing word shows its key, and a test
 * holds the languages to the same keys. */

export const LANGUAGES = { en: "English", lt: "Lietuvių", da: "Dansk", nb: "Norsk" };

import { onDevice } from "./keep.js";

const KEPT = "rollcall.language";
let words = {};
let language = "en";
let plural = new Intl.PluralRules("en");

function preferred() {
  const kept = onDevice.get(KEPT);
  if (kept in LANGUAGES) return kept;
  for (const wanted of navigator.languages) {
    const primary = wanted.toLowerCase().split("-")[0];
    const known = ["no", "nn"].includes(primary) ? "nb" : primary;
    if (known in LANGUAGES) return known;
  }
  return "en";
}

/** Loads the parts in the reader's language; a choice is remembered on this device. */
export async function speak(parts, chosen) {
  if (chosen) onDevice.set(KEPT, chosen);
  language = chosen ?? preferred();
  plural = new Intl.PluralRules(language);
  const loaded = await Promise.all(parts.map((part) => import(`../words/${language}/${part}.js`)));
  words = Object.assign({}, ...loaded.map((module) => module.default));
  document.documentElement.lang = language;
  return language;
}

export const spoken = () => language;

/** The words for a key. Where there are forms for counts, `n` chooses. `{name}` is filled in. */
export function t(key, params = {}) {
  let text = words[key];
  if (text === undefined) return key;
  if (typeof text === "object") text = text[plural.select(params.n ?? 0)] ?? text.other;
  return text.replace(/\{(\w+)\}/g, (_, name) => params[name] ?? "");
}

export const known = (key) => key in words;
