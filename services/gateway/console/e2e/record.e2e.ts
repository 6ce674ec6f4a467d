/** Working a record. */

import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { accessible, Desk, refusal } from "./browser";
import { incidents, people, promise, type People } from "./organisation";
import { Platform } from "./platform";

let platform: Platform;
let desk: Desk;
let who: People;
let numbers: string[];

beforeAll(async () => {
  platform = await Platform.up();
  who = await people(platform);
  await promise(platform, who);
  numbers = await incidents(platform, who);
  desk = await Desk.of(platform);
});

afterAll(async () => {
  try {
    await desk.close();
  } finally {
    await platform.down();
  }
});

const open = (number: string | undefined, login = "ada") => desk.signedIn(login, `/incidents/${number}`);

async function take(page: Page, action: string): Promise<void> {
  await page.getByRole("group", { name: "Actions" }).getByRole("button", { name: action, exact: true }).click();
}

test("a record is opened by a form that says all faults at once, at their fields", async () => {
  const page = await desk.signedIn("ada", "/incidents");
  await page.getByRole("button", { name: "New", exact: true }).click();
  const form = page.getByRole("dialog", { name: "New: Incident" });
  await form.getByLabel("Title").waitFor();
  await accessible(page, "form");
  await form.getByRole("button", { name: "Open" }).click();
  await form.getByText("`title` is missing").waitFor();
  expect(await form.getByLabel("Title").getAttribute("aria-invalid")).toBe("true");
  await form.getByLabel("Title").fill("The lift is stuck");
  await form.getByLabel("Impact").click();
  await page.getByRole("option", { name: "High" }).click();
  await form.getByLabel("Urgency").click();
  await page.getByRole("option", { name: "Medium" }).click();
  await form.getByRole("button", { name: "Open" }).click();
  await page.getByRole("heading", { name: "The lift is stuck", level: 1 }).waitFor();
  await page.getByText("P2").first().waitFor();
});

test("actions are what the record offers; what is refused says why", async () => {
  const page = await open(numbers[5]);
  await page.getByRole("group", { name: "Actions" }).waitFor();
  expect(await refusal(page, "Override priority")).toBe("this needs the role incident_manager");
  await take(page, "Assign");
  await page.getByRole("dialog").getByRole("button", { name: "Assign" }).click();
  await page.getByText("`assign` needs `group`").waitFor();
  await page.getByRole("dialog").getByRole("combobox", { name: "Group" }).fill("netw");
  await page.getByRole("option", { name: /Network/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Assign" }).click();
  await page.getByText("Assign: done").waitFor();
  await take(page, "Start");
  await page.getByRole("dialog", { name: "Start" }).getByRole("button", { name: "Start" }).click();
  await page.getByText("Start: done").waitFor();
  await take(page, "Resolve");
  await page.getByRole("dialog").getByRole("button", { name: "Resolve" }).click();
  await page.getByText("`resolution` is missing", { exact: true }).waitFor();
  await page.getByText("`resolution_code` is missing", { exact: true }).waitFor();
  await page.getByText("2 things need another look").waitFor();
});

test("the keyboard assigns, comments and edits", async () => {
  const page = await open(numbers[6]);
  await page.getByRole("group", { name: "Actions" }).waitFor();
  await page.getByRole("button", { name: "Assign to me" }).waitFor();
  await page.keyboard.press("c");
  await page.keyboard.type("I look into it.");
  await page.keyboard.press("Control+Enter");
  await page.getByRole("listitem").filter({ hasText: "I look into it." }).getByText("Ada Okafor").waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("e");
  const edit = page.getByRole("dialog", { name: `Edit: ${numbers[6]}` });
  await edit.getByLabel("Title").fill("VPN drops every ten minutes");
  await edit.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "VPN drops every ten minutes", level: 1 }).waitFor();
  await edit.waitFor({ state: "detached" });
  await page.keyboard.press("a");
  const form = page.getByRole("dialog", { name: "Assign" });
  await form.getByRole("combobox", { name: "Assignee" }).waitFor();
  await expect.poll(() => form.getByRole("combobox", { name: "Assignee" }).inputValue()).toMatch(/Ada Okafor/);
});

test("what others do appears while one looks", async () => {
  const page = await open(numbers[4]);
  await page.getByRole("group", { name: "Actions" }).getByRole("button", { name: "Start" }).waitFor();
  await page.locator('[data-live="true"]').waitFor();
  await platform.take("incidents", String(numbers[4]), "start");
  await page.getByRole("group", { name: "Actions" }).getByRole("button", { name: "Resolve" }).waitFor();
});

test("history, links and the way through the process are there to see", async () => {
  const page = await open(numbers[0]);
  await page.getByText("The acquirer confirms timeouts").waitFor();
  await page.getByRole("link", { name: /INC0000005 Refunds are booked twice/ }).waitFor();
  await accessible(page, "record");
  await page.getByRole("radiogroup", { name: "View" }).getByText("Process").click();
  await page.getByRole("img", { name: "Its way so far: New → Assigned → In progress" }).waitFor();
  await accessible(page, "diagram");
  await page.getByRole("link", { name: /INC0000005/ }).click();
  await page.getByRole("heading", { name: "Refunds are booked twice", level: 1 }).waitFor();
});

test("every second of a promise is explained", async () => {
  const page = await open(numbers[1]);
  await page.getByRole("heading", { name: "Promises" }).waitFor();
  await page.getByRole("button", { name: "Why: Resolution" }).click();
  await page.getByRole("dialog", { name: "Resolution" }).getByRole("cell", { name: /running|standing still/ }).first().waitFor();
  await accessible(page, "explanation");
});

test("on a phone, in German, in the dark, it is the same record", async () => {
  const page = await desk.signedIn("ada", `/incidents/${numbers[0]}`, { viewport: { width: 390, height: 844 }, colorScheme: "dark", locale: "de-DE" });
  await page.getByRole("group", { name: "Aktionen" }).waitFor();
  await page.getByText("The acquirer confirms timeouts").waitFor();
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
  await accessible(page, "record on a phone, dark, German");
});
