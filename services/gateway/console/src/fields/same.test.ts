import { expect, test } from "vitest";
import { isSame } from "./same";

test("two values are the same when they say the same", () => {
  const window = { from: "2026-03-01T00:00:00Z", to: "2026-03-02T00:00:00Z" };
  expect(isSame(undefined, null)).toBe(true);
  expect(isSame({ to: window.to, from: window.from }, window)).toBe(true);
  expect(isSame([{ a: 1, b: [window] }], [{ b: [{ to: window.to, from: window.from }], a: 1 }])).toBe(true);
  for (const [one, other] of [["1", 1], ["", null], [["a", "b"], ["b", "a"]], [false, null], [{ a: 1 }, { a: 2 }]] as const) {
    expect(isSame(one as never, other as never), JSON.stringify([one, other])).toBe(false);
  }
});
