/** Where in a file of YAML somebody is writing: told from the text alone, because it is not whole yet. */

export type Place = {
  /** The keys above, the outermost first; `[]` for a place in a list. */
  path: string[];
  /** Whether a key or a value is being written. */
  kind: "key" | "value";
  /** Where the word begins. */
  from: number;
};

const KEY = /^(\s*)((?:- +)*)("[^"]*"|'[^']*'|[^\s#:{}[\],][^#:{}[\]]*?)\s*:(?:\s|$)(.*)$/;
const WORD = /[A-Za-z0-9_.:/$-]*$/;

/** The place at an offset. */
export function placeAt(text: string, offset: number): Place {
  const begin = text.lastIndexOf("\n", offset - 1) + 1;
  const line = text.slice(begin, offset);
  const from = offset - (WORD.exec(line)?.[0].length ?? 0);
  const above = blockAbove(text.slice(0, begin), indentOf(line, text.slice(0, begin)));
  const [, , dashes = "", key, rest] = KEY.exec(line) ?? [];
  const list = dashes === "" ? [] : ["[]"];
  if (key === undefined || rest === undefined) {
    const inList = /^\s*- /.test(line) ? ["[]"] : [];
    const flow = within(line.trim().replace(/^(- +)+/, ""));
    if (flow) return { path: [...above, ...inList, ...flow.path], kind: flow.kind, from };
    return { path: [...above, ...inList], kind: "key", from };
  }
  const base = [...above, ...list, bare(key)];
  const flow = within(rest);
  return flow ? { path: [...base, ...flow.path], kind: flow.kind, from } : { path: base, kind: "value", from };
}

const bare = (key: string) => key.trim().replace(/^(["'])(.*)\1$/, "$2");

/** How far a line stands in; an empty one as far as its caret. */
function indentOf(line: string, before: string): number {
  const indent = /^\s*/.exec(line)?.[0].length ?? 0;
  if (line.trim() !== "" || indent > 0) return indent;
  // At the very beginning of a line nothing stands above, unless the file has only begun.
  return before.trim() === "" ? 0 : indent;
}

/** The keys under which lines of this indent stand. */
function blockAbove(before: string, indent: number): string[] {
  const path: string[] = [];
  let limit = indent;
  for (const line of before.split("\n").reverse()) {
    if (limit === 0) break;
    const [, space = "", dashes = "", key, rest = ""] = KEY.exec(line) ?? [];
    if (key === undefined || space.length >= limit) continue;
    // What has its value on the same line has nothing below it, but an anchor or a comment is no value.
    if (/^(&\S+)?\s*(#.*)?$/.test(rest)) {
      path.unshift(...(dashes === "" ? [] : ["[]"]), bare(key));
      limit = space.length;
    } else if (dashes !== "") {
      path.unshift("[]");
      limit = space.length;
    }
  }
  return path;
}

/** Within `{ to: new, by: [agent` : the keys that are open, and what is being written. */
function within(text: string): { path: string[]; kind: "key" | "value" } | null {
  const open: { bracket: "{" | "["; key: string | null }[] = [];
  let word = "";
  let quote: string | null = null;
  for (const symbol of text) {
    const top = open.at(-1);
    if (quote !== null) {
      if (symbol === quote) quote = null;
      else word += symbol;
    } else if (symbol === '"' || symbol === "'") quote = symbol;
    else if (symbol === "{" || symbol === "[") {
      open.push({ bracket: symbol, key: null });
      word = "";
    } else if (symbol === "}" || symbol === "]") open.pop();
    else if (symbol === ",") {
      if (top) top.key = null;
      word = "";
    } else if (symbol === ":" && top?.bracket === "{" && top.key === null) {
      top.key = word.trim();
      word = "";
    } else word += symbol;
  }
  if (open.length === 0) return null;
  const path = open.flatMap(({ bracket, key }) => (bracket === "[" ? ["[]"] : key === null ? [] : [key]));
  const last = open.at(-1);
  return { path, kind: last?.bracket === "{" && last.key === null ? "key" : "value" };
}
