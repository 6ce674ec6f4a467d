/** Seeing how things stand: charts, the calendar, obligations; each figure opens what is behind it. */

import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { accessible } from "./browser";
import { office } from "./office";
import { changes, promise } from "./organisation";

let planned: string[] = [];
const all = office(async (platform, who) => {
  await promise(platform, who);
  planned = await changes(platform, who, new Date());
});

const rows = (page: Page) => page.locator("tbody tr[data-number]");

test("charts count what came and went, and each figure opens its records", async () => {
  const page = await all.desk.signedIn("ben", "/?by=week");
  await page.locator('[data-drawn="true"]').nth(2).waitFor();
  await accessible(page, "overview");
  const volumes = page.getByRole("region", { name: "Opened and closed" });
  await volumes.getByText("As a table").click();
  const opened = volumes.getByRole("row").last().getByRole("link").first();
  const count = Number(await opened.innerText());
  expect(count).toBeGreaterThan(0);
  await opened.click();
  await rows(page).first().waitFor();
  await expect.poll(() => rows(page).count()).toBe(Math.min(count, 50));

  await page.goBack();
  const ages = page.getByRole("region", { name: "Age of open records" });
  await ages.getByText("As a table").click();
  const sum = (await ages.getByRole("cell").allInnerTexts()).reduce((all, text) => all + Number(text), 0);
  const { states } = (await all.platform.ask("GET", "processes/incident/counts")) as { states: Record<string, number> };
  const open = Object.entries(states).filter(([state]) => !["closed", "cancelled"].includes(state));
  expect(sum).toBe(open.reduce((all, [, many]) => all + many, 0));

  const flow = page.getByRole("region", { name: "From state to state" }).first();
  const step = flow.getByRole("link", { name: /^Assigned → In progress: \d+$/ });
  const taken = Number((await step.getAttribute("aria-label"))?.split(": ").at(-1));
  await step.click();
  await rows(page).first().waitFor();
  await expect.poll(() => rows(page).count()).toBe(Math.min(taken, 50));
});

test("promises are told month by month", async () => {
  const page = await all.desk.signedIn("ben");
  const months = page.getByRole("region", { name: "Promises kept, month by month" });
  await months.getByText("As a table").click();
  await months.getByRole("columnheader", { name: "Resolution" }).waitFor();
  await months.getByRole("link").last().click();
  await page.getByRole("heading", { name: "Service level clock", level: 1 }).waitFor();
  await rows(page).first().waitFor();
});

test("the calendar shows what is planned by month, week and day", async () => {
  const page = await all.desk.signedIn("ben", "/calendar");
  const [switched = "", , archive = ""] = planned;
  const event = (number: string) => page.getByRole("link", { name: new RegExp(number) }).or(page.locator(`a[href="/changes/${number}"]`)).first();
  await event(switched).waitFor();
  await accessible(page, "calendar, month");
  await page.getByText("Week", { exact: true }).click();
  await event(archive).waitFor();
  await accessible(page, "calendar, week");
  await page.getByText("Day", { exact: true }).click();
  await event(switched).waitFor();
  await page.getByRole("button", { name: "After" }).click();
  await event(switched).waitFor({ state: "hidden" });
  expect(new URL(page.url()).searchParams.get("by")).toBe("day");
  await page.getByRole("button", { name: "Today" }).click();
  await event(switched).click();
  await page.getByRole("heading", { name: "Replace the core switch in Hamburg" }).waitFor();
});

test("what is owed stands in the order in which it is due", async () => {
  const page = await all.desk.signedIn("ben", "/duties");
  const urgent = planned.at(-1) ?? "";
  const ahead = page.getByRole("region", { name: "Coming up" });
  await ahead.getByRole("row", { name: new RegExp(urgent) }).waitFor();
  await accessible(page, "duties");
  await page.getByText("Overdue", { exact: true }).click();
  await page.getByText("Nothing is owed in this time.").waitFor();
  await page.getByText("7 days", { exact: true }).click();
  await ahead.getByRole("link", { name: urgent }).click();
  await page.getByRole("heading", { name: "Block the stolen terminal's key" }).waitFor();
});
