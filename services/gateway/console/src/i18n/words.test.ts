import { expect, test } from "vitest";
import de from "./languages/de.json";
import en from "./languages/en.json";
import { sayIn } from "./words";

const holes = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([hole]) => hole).sort();

test("every language says everything, with the same holes", () => {
  expect(Object.keys(de)).toEqual(Object.keys(en));
  for (const [key, text] of Object.entries(en)) {
    expect(holes((de as Record<string, string>)[key] ?? ""), key).toEqual(holes(text));
  }
});

test("what fills a hole is said as it is", () => {
  expect(sayIn(en)("list.selected", { count: 3 })).toBe("3 selected");
  expect(sayIn(en)("list.select", { number: "{number}" })).toBe("Select {number}");
});
