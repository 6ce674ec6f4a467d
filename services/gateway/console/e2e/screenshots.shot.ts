/** The main pages as pictures, at desktop and phone width, light, dark and in German: `npm run screenshots`. */

import { Buffer } from "node:buffer";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { BrowserContextOptions, Page } from "playwright-core";
import { test } from "vitest";
import { office } from "./office";
import { changes, promise } from "./organisation";
import { PAGES } from "./pages";

/** All of them, to be looked at. */
const FOLDER = join(import.meta.dirname, "screenshots");
/** The few that the papers show, small. */
const SHOWN = resolve(import.meta.dirname, "../../../../docs/screenshots");
const IN_PAPERS = new Set(["record-desktop-dark", "shape-desktop-light", "list-phone-light"]);
const WEBP_QUALITY = 60;
const SIZES = { desktop: { width: 1400, height: 900 }, phone: { width: 390, height: 844 } };
const LOOKS: Record<string, BrowserContextOptions> = {
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  german: { colorScheme: "light", locale: "de-DE" },
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

/** Everything that was asked for is there. */
const isDrawn = () => document.querySelector('[aria-busy="true"], .mantine-Loader-root') === null && document.fonts.status === "loaded";

for (const [look, options] of Object.entries(LOOKS)) {
  for (const [size, viewport] of Object.entries(SIZES)) {
    test(`${size}, ${look}`, async () => {
      mkdirSync(FOLDER, { recursive: true });
      mkdirSync(SHOWN, { recursive: true });
      for (const [name, { login, path, shows }] of Object.entries(PAGES)) {
        const page = await all.desk.signedIn(login, path(all.numbers[0] ?? ""), { viewport, ...options });
        await page.locator(shows).first().waitFor({ state: "attached" });
        await page.waitForFunction(isDrawn);
        const called = `${name}-${size}-${look}`;
        await page.screenshot({ path: join(FOLDER, `${called}.png`), animations: "disabled" });
        if (IN_PAPERS.has(called)) writeFileSync(join(SHOWN, `${called}.webp`), await small(page));
        await page.context().close();
      }
    }, 300_000);
  }
}
