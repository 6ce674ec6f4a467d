import { expect, test } from "vitest";
import { exact, relative, span } from "./time";

test("spans are said in two units at most", () => {
  expect([0, 45, 60, 3725, 86_400, 190_000].map(span)).toEqual(["0 s", "45 s", "1 min", "1 h 2 min", "1 d", "2 d 4 h"]);
});

test("moments are said from now", () => {
  const now = new Date("2026-03-14T12:00:00Z");
  const said = (at: string) => relative(new Date(at), now, "en");
  expect(said("2026-03-14T11:59:30Z")).toBeNull();
  expect(said("2026-03-14T11:55:00Z")).toBe("5 min. ago");
  expect(said("2026-03-14T14:00:00Z")).toBe("in 2 hr.");
});

test("a moment is told in the agreement's zone, too", () => {
  const said = exact(new Date("2026-03-14T12:00:00Z"), "en", "Asia/Tokyo").split(" · ");
  expect(said.slice(1)).toEqual(["Mar 14, 2026, 9:00:00 PM Asia/Tokyo", "2026-03-14 12:00:00 UTC"]);
});
