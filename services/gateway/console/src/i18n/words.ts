/** The console's own words in the reader's language: one JSON file a language, found by its name. */

import { createContext, useContext } from "react";
import en from "./languages/en.json";

export type Key = keyof typeof en;
type Words = Record<Key, string>;

const files = import.meta.glob<Words>("./languages/*.json", { import: "default" });
const code = (path: string) => path.slice(path.lastIndexOf("/") + 1, -".json".length);

/** `de`, `en`, … : what there is a file for. */
export const languages = Object.keys(files).map(code);

const REMEMBERED = "steward.language";

/** What the reader chose, else the first of the browser's languages that there is. */
export function preferred(): string {
  const wished = [localStorage.getItem(REMEMBERED) ?? "", ...navigator.languages];
  const known = wished.map((tag) => tag.split("-")[0] ?? "").find((tag) => languages.includes(tag));
  return known ?? "en";
}

export function remember(language: string): void {
  localStorage.setItem(REMEMBERED, language);
}

export async function load(language: string): Promise<Words> {
  const file = files[`./languages/${language}.json`];
  return file ? { ...en, ...(await file()) } : en;
}

export type Say = (key: Key, values?: Record<string, string | number>) => string;

export function sayIn(words: Words): Say {
  return (key, values = {}) =>
    words[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

export type Language = { code: string; say: Say; choose: (code: string) => void };

export const LanguageContext = createContext<Language>({ code: "en", say: sayIn(en), choose: () => undefined });

export const useLanguage = (): Language => useContext(LanguageContext);
export const useSay = (): Say => useContext(LanguageContext).say;
