import { expect, test } from "vitest";
import { dayOf, inAddress, moved, shown } from "./range";

const day = new Date(2026, 0, 31);

test("an address says the day, and today where it says none", () => {
  expect(dayOf("2026-01-31")).toEqual(day);
  expect(dayOf("soon", new Date(2026, 0, 31, 17, 30))).toEqual(day);
  expect(inAddress(day)).toBe("2026-01-31");
});

test("weeks begin on Monday, and a month shows those that it is in", () => {
  expect(shown("day", day)).toEqual({ from: day, to: new Date(2026, 1, 1) });
  expect(shown("week", day)).toEqual({ from: new Date(2026, 0, 26), to: new Date(2026, 1, 2) });
  expect(shown("month", day)).toEqual({ from: new Date(2025, 11, 29), to: new Date(2026, 1, 9) });
});

test("no month is passed over", () => {
  expect(moved("month", day, 1)).toEqual(new Date(2026, 1, 1));
  expect(moved("week", day, -1)).toEqual(new Date(2026, 0, 24));
  expect(moved("day", day, 1)).toEqual(new Date(2026, 1, 1));
});
