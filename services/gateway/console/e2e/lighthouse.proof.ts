/** The accessibility score of Lighthouse on each main page, as somebody sees it who is signed in: 100. */

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chromiumPath } from "./browser";
import { changes, incidents, PASSWORD, people, promise } from "./organisation";
import { Platform } from "./platform";

/** It has many packages that nothing else here needs, hence a folder of its own. */
const FOLDER = join(import.meta.dirname, "../proofs");

/** It waits for the network to be quiet, which a page that follows events never lets it be. */
const LOADED_WITHIN_MS = 8_000;

type Lighthouse = (
  url: string,
  flags: { port: number; onlyCategories: string[]; disableStorageReset: boolean; formFactor: string; screenEmulation: { disabled: boolean }; throttlingMethod: string; maxWaitForLoad: number },
) => Promise<{ lhr: { categories: { accessibility: { score: number | null } }; audits: Record<string, { score: number | null; title: string; scoreDisplayMode: string }>; finalDisplayedUrl: string } } | undefined>;

let platform: Platform;
let port: number;
let close: () => Promise<void>;
let signIn: (login: string) => Promise<void>;
let paths: Record<string, string[]>;

beforeAll(async () => {
  if (!existsSync(join(FOLDER, "node_modules/lighthouse"))) {
    execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: FOLDER, stdio: "inherit" });
  }
  platform = await Platform.up();
  const who = await people(platform);
  await promise(platform, who);
  const [first = ""] = await incidents(platform, who);
  await changes(platform, who, new Date());
  paths = {
    ben: ["/", "/incidents", "/incidents?as=board", `/incidents/${first}`, "/incidents?new=true", "/calendar", "/duties", "/processes", "/processes/incident", "/account"],
    cleo: ["/portal"],
  };
  port = await freePort();
  const context = await chromium.launchPersistentContext("", { executablePath: chromiumPath(), args: ["--no-sandbox", `--remote-debugging-port=${port}`], baseURL: platform.url });
  const page = await context.newPage();
  signIn = async (login) => {
    await context.clearCookies();
    await page.goto("/");
    await page.getByLabel("Login").fill(login);
    await page.locator('input[type="password"]').fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { level: 1 }).first().waitFor();
  };
  close = () => context.close();
});

afterAll(async () => {
  await close();
  await platform.down();
});

test("every main page scores 100 for accessibility", async () => {
  const { default: lighthouse } = (await import(join(FOLDER, "node_modules/lighthouse/core/index.js"))) as { default: Lighthouse };
  for (const [login, all] of Object.entries(paths)) {
    await signIn(login);
    for (const path of all) {
      const result = await lighthouse(platform.url + path, {
        port,
        onlyCategories: ["accessibility"],
        disableStorageReset: true,
        formFactor: "desktop",
        screenEmulation: { disabled: true },
        throttlingMethod: "provided",
        maxWaitForLoad: LOADED_WITHIN_MS,
      });
      const { categories, audits, finalDisplayedUrl } = result?.lhr ?? { categories: null, audits: {}, finalDisplayedUrl: "" };
      const failed = Object.values(audits).filter(({ score, scoreDisplayMode }) => score === 0 && scoreDisplayMode === "binary");
      console.log(`${path}: ${Math.round((categories?.accessibility.score ?? 0) * 100)}`);
      expect(new URL(finalDisplayedUrl).pathname, path).toBe(path.split("?")[0]);
      expect(failed.map(({ title }) => title), path).toEqual([]);
      expect(categories?.accessibility.score, path).toBe(1);
    }
  }
}, 300_000);

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(address && typeof address === "object" ? address.port : 0));
    });
  });
}
