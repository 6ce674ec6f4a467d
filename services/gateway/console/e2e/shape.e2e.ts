/** Shaping a process: whoever answers for it changes it, and it is used without anything being built. */

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { accessible, Desk, refusal } from "./browser";
import { office } from "./office";
import { people } from "./organisation";
import { Platform } from "./platform";

const all = office();

const FIELD = "    external_id:         { type: string, maxLength: 100, index: text }\n";
const RESUME = "    resume:   { to: in_progress, ";

/** A new field, and a transition that asks for it. */
const extended = (text: string) =>
  text
    .replace(FIELD, `${FIELD}    vendor:              { type: string, minLength: 1, maxLength: 100 }\n`)
    .replace("  in_progress:\n    hold:", "  in_progress:\n    hand_to_vendor: { to: on_hold, by: [agent, incident_manager], needs: [vendor], says: handed_over }\n    hold:");

const editor = (page: Page) => page.getByRole("textbox", { name: "Definition of Incident" });

const text = (of: Platform) => of.text("processes/incident/versions/present");

/** Replaces all that is written, as somebody does who wrote it elsewhere. */
async function paste(page: Page, written: string): Promise<void> {
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.evaluate((all) => navigator.clipboard.writeText(all), written);
  await editor(page).click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.press("ControlOrMeta+v");
}

async function shaping(login: string, path = "/processes/incident"): Promise<Page> {
  const page = await all.desk.signedIn(login, path);
  await editor(page).waitFor();
  return page;
}

test("a new field and a new transition are published and used, and nothing is built", async () => {
  const page = await all.desk.signedIn("ben", "/processes");
  await page.getByRole("rowheader", { name: "Incident", exact: true }).getByRole("link").click();
  await editor(page).waitFor();
  await page.getByText("Sound").waitFor();
  expect(await refusal(page, "Publish")).toBe("Nothing was changed.");
  await accessible(page, "definition");

  const old = await text(all.platform);
  await paste(page, extended(old).replace(RESUME, "    resume:   { to: in_progres, "));
  await page.getByText("`in_progres` is no state; did you mean `in_progress`?").first().waitFor();
  expect(await refusal(page, "Publish")).toBe("It has faults.");
  await accessible(page, "definition with faults");

  await paste(page, extended(old));
  await page.getByText("Changes to the version in force: 2").waitFor();
  // The picture changes with the text.
  await page.getByRole("region", { name: "Process", exact: true }).locator("title", { hasText: "Hand to vendor" }).waitFor({ state: "attached" });
  await page.getByRole("tab", { name: "Difference" }).click();
  await page.getByText("states.in_progress.hand_to_vendor").waitFor();
  await accessible(page, "difference");
  await page.getByRole("button", { name: "Publish" }).click();
  await page.getByText("Version 2 is in force.").waitFor();
  await page.getByRole("tab", { name: "Versions" }).click();
  await page.getByRole("row", { name: /Version 2 in force/i }).getByText("Ben Lindqvist").first().waitFor();
  await accessible(page, "versions");

  await page.getByRole("link", { name: "Incident", exact: true }).first().click();
  await page.getByRole("button", { name: "New", exact: true }).click();
  const form = page.getByRole("dialog");
  await form.getByLabel("Title").fill("The card terminal shows nothing");
  await form.getByLabel("Vendor").fill("Acme Terminals");
  await form.getByRole("button", { name: "Open" }).click();
  await page.waitForURL(/\/incidents\/INC\d+$/);
  const number = page.url().split("/").at(-1) ?? "";
  await all.platform.ask("PATCH", `incidents/${number}`, { impact: "low", urgency: "low" });
  await all.platform.take("incidents", number, "assign", { group: "GRP0000001" });
  await all.platform.take("incidents", number, "start");
  await page.getByRole("button", { name: "Hand to vendor" }).click();
  await form.getByLabel("Vendor").fill("Acme Field Service");
  await form.getByRole("button", { name: "Hand to vendor" }).click();
  await page.getByText("On hold").first().waitFor();
  expect((await all.platform.ask("GET", `incidents/${number}`)).data).toMatchObject({ vendor: "Acme Field Service" });
});

test("keys, states and roles are offered while somebody writes", async () => {
  const page = await shaping("ben");
  await editor(page).click();
  await page.keyboard.press("ControlOrMeta+End");
  await page.keyboard.insertText("\nedit:\n  title: { ");
  await page.keyboard.press("Control+Space");
  const offer = (name: string) => page.getByRole("option", { name: new RegExp(`^${name}`) });
  await offer("by").waitFor();
  await page.keyboard.type("in: [");
  await page.keyboard.press("Control+Space");
  await offer("on_hold").waitFor();
  await page.keyboard.type("on_h");
  // Until the list is that of what is written, Enter is a new line.
  await expect.poll(() => page.getByRole("option", { selected: true }).allInnerTexts()).toEqual(["on_hold"]);
  await expect.poll(() => page.getByRole("option").count()).toBe(1);
  await page.keyboard.press("Enter");
  await expect.poll(async () => (await editor(page).innerText()).includes("in: [on_hold")).toBe(true);
  await page.getByRole("button", { name: "Discard the draft" }).click();
  await page.getByText("Sound").waitFor();
});

test("who does not answer for a process reads it and is told why", async () => {
  const page = await shaping("ada");
  expect(await refusal(page, "Publish")).toBe("This needs the role `incident_manager`.");
  await editor(page).click();
  await page.keyboard.type("nothing");
  expect(await editor(page).innerText()).not.toContain("nothing");
});

test("whoever was overtaken sees what differs before going on", async () => {
  const page = await shaping("ben");
  const present = await text(all.platform);
  await paste(page, present.replace("Incident, de: Störung", "Fault, de: Störung"));
  await page.getByText("Changes to the version in force: 1").waitFor();
  await all.platform.publish("incident", present.replace("de: Störung }", "de: Vorfall }"));
  await page.getByRole("button", { name: "Publish" }).click();
  await page.getByText(/is in force by now, and yours was not made from it/).waitFor();
  await page.getByText(/^Version \d is in force by now$/).waitFor();
  await page.getByRole("button", { name: /^Go on from version/ }).click();
  await page.getByText(/^Version \d is in force by now$/).waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "Discard the draft" }).click();
});

test("open records are moved after a look at what would become of them", async () => {
  const present = await text(all.platform);
  await all.platform.publish("incident", present.replaceAll("on_hold", "waiting"));
  const page = await all.desk.signedIn("ben", "/processes/incident?show=migrate");
  await page.getByRole("button", { name: "See what would happen" }).click();
  // One that is on hold has nowhere to go yet.
  await page.getByText(/map it to one that it has/).first().waitFor();
  await accessible(page, "migrate");
  await page.getByRole("combobox", { name: "State “On hold” becomes" }).selectOption({ label: "Waiting" });
  expect(await refusal(page, "Migrate for good")).toBe("See first what would happen.");
  await page.getByRole("button", { name: "See what would happen" }).click();
  await page.getByText(/would move, 0 would not\./).waitFor();
  await page.getByRole("button", { name: "Migrate for good" }).click();
  await page.getByText(/^Done: \d+ open records stand on version/).waitFor();
  await page.getByText(/^All open records stand on version/).waitFor();
  const [, second = ""] = all.numbers;
  expect((await all.platform.ask("GET", `incidents/${second}`)).state).toBe("waiting");
});

test("where another's approval is asked, it waits, and its author does not give it", async () => {
  const config = join(mkdtempSync(join(tmpdir(), "steward-e2e-")), "steward.toml");
  writeFileSync(config, "[service]\npublishing_needs_another = true\n");
  const strict = await Platform.up("--config", config);
  const there = await Desk.of(strict);
  try {
    await people(strict);
    const page = await there.signedIn("ben", "/processes/incident");
    await editor(page).waitFor();
    await paste(page, extended(await text(strict)));
    await page.getByText("Changes to the version in force: 2").waitFor();
    await page.getByRole("button", { name: "Propose" }).click();
    await page.getByText("PUB0000001 waits for somebody else's approval.").waitFor();
    await page.getByRole("tab", { name: "Versions" }).click();
    const waiting = page.getByRole("region", { name: "PUB0000001 waits for approval" });
    await waiting.waitFor();
    expect(await refusal(page, "Approve")).toContain("hoever wrote it does not approve it");

    const other = await there.page();
    await other.goto(strict.link);
    await other.getByRole("navigation", { name: "Main" }).waitFor();
    await other.goto("/processes/incident?show=versions");
    await other.getByRole("button", { name: "Approve" }).click();
    await other.getByRole("row", { name: /Version 2 in force/i }).waitFor();
  } finally {
    await there.close();
    await strict.down();
  }
}, 120_000);
