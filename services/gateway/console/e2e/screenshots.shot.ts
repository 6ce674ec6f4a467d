/** The main pages as pictures, at desktop and phone width, light and dark: `npm run screenshots`. */

import { Buffer } from "node:buffer";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Page } from "playwright-core";
import { test } from "vitest";
import { office } from "./office";
import { changes, promise } from "./organisation";

/** All of them, to be looked at. */
const FOLDER = join(import.meta.dirname, "screenshots");
/** The few that the papers show, small. */
const SHOWN = resolve(import.meta.dirname, "../../../../docs/screenshots");
const IN_PAPERS = new Set(["record-desktop-dark", "shape-desktop-light", "list-phone-light"]);
const WEBP_QUALITY = 60;
const SIZES = { desktop: { width: 1400, height: 900 }, phone: { width: 390, height: 844 } };
const PAGES: Record<string, { login: string; path: (number: string) => string; shows?: string }> = {
  overview: { login: "ben", path: () => "/", shows: '[data-drawn="true"]' },
  list: { login: "ada", path: () => "/incidents", shows: "tr[data-number]" },
  board: { login: "ada", path: () => "/incidents?as=board" },
  record: { login: "ada", path: (number) => `/incidents/${number}`, shows: "svg[role=img]" },
  new: { login: "ada", path: () => "/incidents?new=true" },
  calendar: { login: "ben", path: () => "/calendar", shows: 'a[href^="/changes/"]' },
  duties: { login: "ben", path: () => "/duties", shows: "tr[data-number]" },
  processes: { login: "ben", path: () => "/processes", shows: "tbody tr" },
  shape: { login: "ben", path: () => "/processes/incident", shows: '[role="textbox"]' },
  portal: { login: "cleo", path: () => "/" },
};

const all = office(async (platform, who) => {
  await promise(platform, who);
  await changes(platform, who, new Date());
});

/** As WebP, which is a quarter of a PNG. */
async function small(page: Page): Promise<Buffer> {
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send("Page.captureScreenshot", { format: "webp", quality: WEBP_QUALITY });
  return Buffer.from(data, "base64");
}

for (const colorScheme of ["light", "dark"] as const) {
  for (const [size, viewport] of Object.entries(SIZES)) {
    test(`${size}, ${colorScheme}`, async () => {
      mkdirSync(FOLDER, { recursive: true });
      mkdirSync(SHOWN, { recursive: true });
      for (const [name, { login, path, shows = "h1" }] of Object.entries(PAGES)) {
        const page = await all.desk.signedIn(login, path(all.numbers[0] ?? ""), { viewport, colorScheme });
        await page.locator("h1").first().waitFor();
        await page.locator(shows).first().waitFor({ state: "attached" });
        await page.waitForLoadState("networkidle", { timeout: 3000 }).catch(() => undefined);
        const called = `${name}-${size}-${colorScheme}`;
        await page.screenshot({ path: join(FOLDER, `${called}.png`), animations: "disabled" });
        if (IN_PAPERS.has(called)) writeFileSync(join(SHOWN, `${called}.webp`), await small(page));
        await page.context().close();
      }
    }, 300_000);
  }
}
