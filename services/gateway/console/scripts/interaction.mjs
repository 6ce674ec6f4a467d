// How soon the console answers a person on a list over very many records, beside an empty page of the same run,
// with the processor slowed down four times: the longest interaction of some (interaction to next paint).
//
//   STEWARD_URL=http://127.0.0.1:8080 STEWARD_TOKEN=… npm run interaction -- /incidents
//
// The list may take at most three times as long as the empty page.
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const SLOWER = 4;
const AT_MOST = 3;
const TIMES = 12;
// What a browser measures is a multiple of eight milliseconds; below this nobody could tell a difference.
const LEAST_MS = 16;

const url = process.env.STEWARD_URL ?? "http://127.0.0.1:8080";
const token = process.env.STEWARD_TOKEN ?? "";
const list = process.argv[2] ?? "/incidents";
const candidates = [process.env.STEWARD_CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = candidates.find((path) => path && existsSync(path));
if (!executablePath) throw new Error("no chromium: apt-get install chromium, or name it in STEWARD_CHROMIUM");

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
try {
  const context = await browser.newContext({ baseURL: url, locale: "en-GB", viewport: { width: 1400, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript(() => {
    globalThis.interactions = [];
    new PerformanceObserver((all) => {
      for (const { interactionId, duration } of all.getEntries()) if (interactionId) globalThis.interactions.push(duration);
    }).observe({ type: "event", durationThreshold: 16, buffered: true });
  });
  await page.goto("/");
  await page.getByText("Token", { exact: true }).first().click();
  await page.locator('input[type="password"]').fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("navigation", { name: "Main" }).waitFor();
  const slow = await context.newCDPSession(page);
  await slow.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });

  // An empty page: a list without a single record, which answers the same keys and clicks.
  const empty = await measured(page, `${list}?filter=${encodeURIComponent("record.number == 'none'")}`, false);
  const full = await measured(page, list, true);
  const ratio = full / empty;
  console.log(JSON.stringify({ list, empty_ms: empty, full_ms: full, ratio: Math.round(ratio * 100) / 100, at_most: AT_MOST, throttled: SLOWER }));
  process.exitCode = ratio <= AT_MOST ? 0 : 1;
} finally {
  await browser.close();
}

/** The longest interaction, of those that a person does at a list. */
async function measured(page, path, hasRows) {
  await page.goto(path);
  await page.getByRole("heading", { level: 1 }).waitFor();
  if (hasRows) await page.locator("tbody tr[data-number]").first().waitFor();
  await page.waitForLoadState("networkidle").catch(() => undefined);
  await page.evaluate(() => {
    globalThis.interactions.length = 0;
  });
  for (let time = 0; time < TIMES; time += 1) {
    await page.keyboard.press("j");
    await painted(page);
  }
  await page.keyboard.press("/");
  await page.keyboard.type("pay", { delay: 80 });
  await painted(page);
  await page.keyboard.press("Escape");
  await page.getByText("Board", { exact: true }).click();
  await painted(page);
  await page.getByText("List", { exact: true }).click();
  await painted(page);
  const durations = await page.evaluate(() => globalThis.interactions);
  return Math.max(LEAST_MS, ...durations);
}

/** Until the next frame is on the screen, and its measure was taken. */
async function painted(page) {
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 60))));
}
