/** A browser as a person uses it: by roles and names. What its console complains of fails the test. */

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium, type Browser, type BrowserContextOptions, type Cookie, type Page } from "playwright-core";
import { expect } from "vitest";
import { PASSWORD } from "./organisation";
import type { Platform } from "./platform";

const CANDIDATES = [process.env.STEWARD_CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
/** A refusal that a test asks for is told by the browser, too. */
const ASKED_FOR = /Failed to load resource: the server responded with a status of (401|403|404|409|412|422)/;
const OF_THE_API = /\/api\//;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export function chromiumPath(): string {
  const found = CANDIDATES.find((path) => path !== undefined && existsSync(path));
  if (found === undefined) throw new Error("no chromium: apt-get install chromium, or name it in STEWARD_CHROMIUM");
  return found;
}

export class Desk {
  readonly #browser: Browser;
  readonly #platform: Platform;
  readonly #complaints: string[] = [];
  /** Sessions of who came in before: to sign in again would only cost time. */
  readonly #cookies = new Map<string, Cookie[]>();

  private constructor(browser: Browser, platform: Platform) {
    this.#browser = browser;
    this.#platform = platform;
  }

  static async of(platform: Platform): Promise<Desk> {
    const browser = await chromium.launch({ executablePath: chromiumPath(), args: ["--no-sandbox"] });
    return new Desk(browser, platform);
  }

  /** A page of nobody yet, in a browser that remembers nothing and shows no colour on its way to another. */
  async page(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext({ baseURL: this.#platform.url, locale: "en-GB", viewport: { width: 1400, height: 900 }, reducedMotion: "reduce", ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    page.on("console", (message) => {
      const isAskedFor = ASKED_FOR.test(message.text()) && OF_THE_API.test(message.location().url);
      if (message.type() === "error" && !isAskedFor) this.#complaints.push(message.text());
    });
    page.on("pageerror", (error) => this.#complaints.push(error.message));
    return page;
  }

  /** A page of somebody who is in: the first time by the form. */
  async signedIn(login: string, path = "/", options: BrowserContextOptions = {}): Promise<Page> {
    const page = await this.page(options);
    await page.context().addCookies(this.#cookies.get(login) ?? []);
    await page.goto(path);
    const german = options.locale?.startsWith("de");
    if (!this.#cookies.has(login)) {
      await page.getByLabel(german ? "Anmeldename" : "Login").fill(login);
      await page.locator('input[type="password"]').fill(PASSWORD);
      await page.getByRole("button", { name: german ? "Anmelden" : "Sign in" }).click();
    }
    await page.getByRole("navigation", { name: german ? "Hauptnavigation" : "Main" }).or(page.getByRole("banner")).first().waitFor();
    this.#cookies.set(login, await page.context().cookies());
    return page;
  }

  async close(): Promise<void> {
    await this.#browser.close();
    expect(this.#complaints).toEqual([]);
  }
}

/** Axe finds nothing on the page as it stands (WCAG 2.2, A and AA). */
export async function accessible(page: Page, where: string): Promise<void> {
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run: (root: Document, options: object) => Promise<{ violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }> } };
    const { violations } = await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => `${node.html.slice(0, 200)} ${node.failureSummary ?? ""}`).join(" | ")}`);
  });
  expect(found, `${where}: what axe finds`).toEqual([]);
}

/** What a control that does nothing says of itself. */
export async function refusal(page: Page, name: string): Promise<string | null> {
  const button = page.getByRole("button", { name, exact: true });
  expect(await button.getAttribute("aria-disabled")).toBe("true");
  return button.getAttribute("aria-description");
}
