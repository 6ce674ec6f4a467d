/** The accessibility score of Lighthouse on each main page, as somebody sees it who is signed in: 100. */

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { chromium, type BrowserContext, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { chromiumPath } from "./browser";
import { changes, incidents, PASSWORD, people, promise } from "./organisation";
import { PAGES } from "./pages";
import { Platform } from "./platform";

/** It has many packages that nothing else here needs, hence a folder of its own. */
const FOLDER = join(import.meta.dirname, "../proofs");
const MODULES = join(FOLDER, "node_modules");

type Audit = { score: number | null; title: string; scoreDisplayMode: string };
type Result = { lhr: { categories: { accessibility: { score: number | null } }; audits: Record<string, Audit> } };
/** Judges a page as it stands, whoever opened it. */
type Snapshot = (page: object, options: { flags: object }) => Promise<Result | undefined>;
type Puppeteer = { connect: (options: { browserURL: string; defaultViewport: null }) => Promise<{ pages: () => Promise<{ url: () => string }[]>; disconnect: () => Promise<void> }> };

const FLAGS = {
  onlyCategories: ["accessibility"],
  formFactor: "desktop",
  screenEmulation: { disabled: true },
  throttlingMethod: "provided",
  disableFullPageScreenshot: true,
};

/** How long a page's address may take to be known everywhere. */
const WITHIN = { timeout: 10_000, interval: 50 };

let platform: Platform;
let context: BrowserContext;
let browserURL: string;
let number: string;

beforeAll(async () => {
  if (!existsSync(join(MODULES, "lighthouse"))) {
    execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: FOLDER, stdio: "inherit" });
  }
  platform = await Platform.up();
  const who = await people(platform);
  await promise(platform, who);
  [number = ""] = await incidents(platform, who);
  await changes(platform, who, new Date());
  const port = await freePort();
  browserURL = `http://127.0.0.1:${port}`;
  context = await chromium.launchPersistentContext("", {
    executablePath: chromiumPath(),
    args: ["--no-sandbox", `--remote-debugging-port=${port}`],
    baseURL: platform.url,
    viewport: { width: 1400, height: 900 },
  });
});

afterAll(async () => {
  await context.close();
  await platform.down();
});

async function signIn(page: Page, login: string): Promise<void> {
  await context.clearCookies();
  await page.goto("/");
  await page.getByLabel("Login").fill(login);
  await page.locator('input[type="password"]').fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("navigation", { name: "Main" }).or(page.getByRole("banner")).first().waitFor();
}

test("every main page scores 100 for accessibility", async () => {
  const { snapshot } = (await import(join(MODULES, "lighthouse/core/index.js"))) as { snapshot: Snapshot };
  const { default: puppeteer } = (await import(join(MODULES, "puppeteer-core/lib/esm/puppeteer/puppeteer-core.js"))) as { default: Puppeteer };
  const [page = await context.newPage()] = context.pages();
  const browser = await puppeteer.connect({ browserURL, defaultViewport: null });
  let signedIn = "";
  for (const [name, { login, path, shows }] of Object.entries(PAGES).toSorted(([, one], [, other]) => one.login.localeCompare(other.login))) {
    if (login !== signedIn) await signIn(page, login);
    signedIn = login;
    await page.goto(path(number));
    await page.locator(shows).first().waitFor({ state: "attached" });
    // The two hear of an address that the page itself changed one after the other.
    const same = await vi.waitFor(async () => {
      const [found] = (await browser.pages()).filter((one) => one.url() === page.url());
      if (!found) throw new Error(`${name}: the page is not found`);
      return found;
    }, WITHIN);
    const result = await snapshot(same, { flags: FLAGS });
    const { categories, audits } = result?.lhr ?? { categories: null, audits: {} };
    const failed = Object.values(audits).filter(({ score, scoreDisplayMode }) => score === 0 && scoreDisplayMode === "binary");
    console.log(`${name}: ${Math.round((categories?.accessibility.score ?? 0) * 100)}`);
    expect(failed.map(({ title }) => title), name).toEqual([]);
    expect(categories?.accessibility.score, name).toBe(1);
  }
  await browser.disconnect();
}, 240_000);

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(address && typeof address === "object" ? address.port : 0));
    });
  });
}
