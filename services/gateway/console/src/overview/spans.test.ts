import { expect, test } from "vitest";
import { called, edges } from "./spans";

const now = new Date(2026, 2, 12, 15, 30);

test("spans are the reader's own days, weeks and months, up to the end of the present one", () => {
  const days = edges("day", now);
  expect([days.length, days[29], days[30]]).toEqual([31, new Date(2026, 2, 12), new Date(2026, 2, 13)]);
  const weeks = edges("week", now);
  expect([weeks.length, weeks[25], weeks[26]]).toEqual([27, new Date(2026, 2, 9), new Date(2026, 2, 16)]);
  const months = edges("month", now);
  expect([months[0], months[11], months[12]]).toEqual([new Date(2025, 3, 1), new Date(2026, 2, 1), new Date(2026, 3, 1)]);
});

test("spans are called in the reader's language", () => {
  expect(called("day", new Date(2026, 2, 9), "en-GB")).toBe("9 Mar");
  expect(called("month", new Date(2026, 2, 1), "de")).toBe("März 26");
});
