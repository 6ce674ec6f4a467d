/** Coming in and going out. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { accessible, Desk } from "./browser";
import { people } from "./organisation";
import { Platform } from "./platform";

let platform: Platform;
let desk: Desk;

beforeAll(async () => {
  platform = await Platform.up();
  await people(platform);
  desk = await Desk.of(platform);
});

afterAll(async () => {
  try {
    await desk.close();
  } finally {
    await platform.down();
  }
});

test("the printed link signs in, once", async () => {
  const page = await desk.page();
  await page.goto(platform.link);
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  expect(page.url()).not.toContain("ticket");
  await page.reload();
  await page.getByRole("button", { name: "Account: Administrator" }).waitFor();

  const other = await desk.page();
  await other.goto(platform.link);
  await other.getByText("This link was used already, or is too old.").waitFor();
  await accessible(other, "sign in");
});

test("a person comes in by login and password, and goes", async () => {
  const page = await desk.page();
  await page.goto("/incidents");
  await page.getByLabel("Login").fill("ada");
  await page.locator('input[type="password"]').fill("not her password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("Login and password do not fit.").waitFor();
  await page.locator('input[type="password"]').fill("four words make one");
  await page.getByRole("button", { name: "Sign in" }).click();
  // Where they wanted to go.
  await page.getByRole("heading", { name: "Incident", level: 1 }).waitFor();

  const cookies = await page.context().cookies();
  expect(cookies.map(({ httpOnly, sameSite }) => [httpOnly, sameSite])).toEqual([[true, "Strict"]]);
  await page.getByRole("button", { name: "Account: Ada Okafor" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
});

test("language and appearance are everybody's own, and stay", async () => {
  const page = await desk.signedIn("ada");
  await page.getByRole("button", { name: "Account: Ada Okafor" }).click();
  await page.getByRole("menuitem", { name: "Deutsch" }).click();
  await page.getByRole("heading", { name: "Übersicht", level: 1 }).waitFor();
  await page.getByRole("link", { name: "Störung" }).first().waitFor();
  expect(await page.locator("html").getAttribute("lang")).toBe("de");
  await page.getByRole("button", { name: "Konto: Ada Okafor" }).click();
  await page.getByRole("menuitem", { name: "Dunkel" }).click();
  await page.reload();
  await page.getByRole("heading", { name: "Übersicht", level: 1 }).waitFor();
  expect(await page.locator("html").getAttribute("data-mantine-color-scheme")).toBe("dark");
  await accessible(page, "overview, dark, German");
});
