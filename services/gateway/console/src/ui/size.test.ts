import { expect, test } from "vitest";
import { bytes } from "./size";

test("sizes are said in the unit that fits", () => {
  expect([0, 812, 1_400, 25_000, 26_214_400].map((count) => bytes(count, "en"))).toEqual(["0 byte", "812 byte", "1.4 kB", "25 kB", "26 MB"]);
});
