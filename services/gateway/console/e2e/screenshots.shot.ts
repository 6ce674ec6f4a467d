/** The main pages as pictures, at desktop and phone width, light and dark: `npm run screenshots`. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, test } from "vitest";
import { Desk } from "./browser";
import { incidents, people, promise } from "./organisation";
import { Platform } from "./platform";

const FOLDER = join(import.meta.dirname, "screenshots");
const SIZES = { desktop: { width: 1400, height: 900 }, phone: { width: 390, height: 844 } };
const PAGES: Record<string, (number: string) => string> = {
  overview: () => "/",
  list: () => "/incidents",
  board: () => "/incidents?as=board",
  record: (number) => `/incidents/${number}`,
  new: () => "/incidents?new=true",
};

let platform: Platform;
let desk: Desk;
let first: string;

beforeAll(async () => {
  mkdirSync(FOLDER, { recursive: true });
  platform = await Platform.up();
  const who = await people(platform);
  await promise(platform, who);
  [first = ""] = await incidents(platform, who);
  desk = await Desk.of(platform);
});

afterAll(async () => {
  try {
    await desk.close();
  } finally {
    await platform.down();
  }
});

for (const colorScheme of ["light", "dark"] as const) {
  for (const [size, viewport] of Object.entries(SIZES)) {
    test(`${size}, ${colorScheme}`, async () => {
      const page = await desk.signedIn("ada", "/", { viewport, colorScheme });
      for (const [name, path] of Object.entries(PAGES)) {
        await page.goto(path(first));
        await page.locator("h1").first().waitFor();
        await page.waitForLoadState("load");
        await page.locator('[data-live="true"]').waitFor();
        await page.screenshot({ path: join(FOLDER, `${name}-${size}-${colorScheme}.png`) });
      }
    });
  }
}
