/** Working a record. */

import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { accessible, refusal } from "./browser";
import { office } from "./office";
import { promise, request } from "./organisation";

const all = office(promise);

const open = (number: string | undefined, login = "ada") => all.desk.signedIn(login, `/incidents/${number}`);

async function take(page: Page, action: string): Promise<void> {
  await page.getByRole("group", { name: "Actions" }).getByRole("button", { name: action, exact: true }).click();
}

test("a record is opened by a form that says all faults at once, at their fields", async () => {
  const page = await all.desk.signedIn("ada", "/incidents");
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
  const page = await open(all.numbers[5]);
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

test("what the record holds is not asked for again, and what is taken out is missed", async () => {
  const group = all.who.network;
  const number = await all.platform.open("incidents", { title: "The scanner beeps", impact: "low", urgency: "low", group });
  const page = await open(number);
  await take(page, "Assign");
  const form = page.getByRole("dialog", { name: "Assign" });
  await expect.poll(() => form.getByRole("combobox", { name: "Group" }).inputValue()).toMatch(/Network/);
  await form.getByRole("combobox", { name: "Group" }).fill("");
  await form.getByRole("button", { name: "Assign" }).click();
  await expect.poll(() => form.getByRole("combobox", { name: "Group" }).getAttribute("aria-invalid")).toBe("true");
  await form.getByRole("combobox", { name: "Group" }).fill("netw");
  await page.getByRole("option", { name: /Network/ }).click();
  await form.getByRole("button", { name: "Assign" }).click();
  await page.getByText("Assign: done").waitFor();
});

test("a field of several parts is a form of its own, in the reader's language, with its faults at their parts", async () => {
  const page = await all.desk.signedIn("ben", "/suppliers", { locale: "de-DE" });
  await page.getByRole("button", { name: "Neu", exact: true }).click();
  const form = page.getByRole("dialog", { name: "Neu: Lieferant" });
  await form.getByLabel("Titel").fill("Nordlicht Hosting");
  await form.getByLabel("Art").click();
  await page.getByRole("option", { name: "Extern" }).click();
  const list = form.getByRole("group", { name: "Unterauftragnehmer", exact: true });
  await list.getByRole("button", { name: "Hinzufügen" }).click();
  await list.getByRole("button", { name: "Hinzufügen" }).click();
  await list.getByLabel("Name").nth(1).fill("Kabel und Söhne");
  await list.getByLabel("Steuerung").nth(1).fill("Quarterly audit");
  await list.getByRole("button", { name: "Unterauftragnehmer 1 entfernen" }).click();
  expect(await list.getByLabel("Name").inputValue()).toBe("Kabel und Söhne");
  await list.getByLabel("Steuerung").fill("");
  await accessible(page, "a field of parts");
  await form.getByRole("button", { name: "Eröffnen" }).click();
  await list.getByText("`control` is missing").waitFor();
  expect(await list.getByLabel("Steuerung").getAttribute("aria-invalid")).toBe("true");
  expect(await list.getByLabel("Name").getAttribute("aria-invalid")).not.toBe("true");
  await list.getByLabel("Steuerung").fill("Vierteljährliches Audit");
  await form.getByRole("button", { name: "Eröffnen" }).click();
  await page.getByRole("heading", { name: "Nordlicht Hosting", level: 1 }).waitFor();
  await page.getByRole("term").filter({ hasText: "Steuerung" }).waitFor();
  await page.getByText("Vierteljährliches Audit").first().waitFor();
});

test("the keyboard assigns, comments and edits", async () => {
  const page = await open(all.numbers[6]);
  await page.getByRole("group", { name: "Actions" }).waitFor();
  await page.getByRole("button", { name: "Assign to me" }).waitFor();
  await page.keyboard.press("c");
  await page.keyboard.type("I look into it.");
  await page.keyboard.press("Control+Enter");
  await page.getByRole("listitem").filter({ hasText: "I look into it." }).getByText("Ada Okafor").waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("e");
  const edit = page.getByRole("dialog", { name: `Edit: ${all.numbers[6]}` });
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
  const page = await open(all.numbers[4]);
  await page.getByRole("group", { name: "Actions" }).getByRole("button", { name: "Start" }).waitFor();
  await page.locator('[data-live="true"]').waitFor();
  await all.platform.take("incidents", String(all.numbers[4]), "start");
  await page.getByRole("group", { name: "Actions" }).getByRole("button", { name: "Resolve" }).waitFor();
});

test("history, links and the way through the process are there to see", async () => {
  const page = await open(all.numbers[0]);
  await page.getByText("The acquirer confirms timeouts").waitFor();
  await page.getByRole("link", { name: /INC0000005 Refunds are booked twice/ }).waitFor();
  await accessible(page, "record");
  await page.getByRole("radiogroup", { name: "View" }).getByText("Process").click();
  await page.getByRole("img", { name: "Its way so far: New → Assigned → In progress" }).waitFor();
  await accessible(page, "diagram");
  await page.getByRole("link", { name: /INC0000005/ }).click();
  await page.getByRole("heading", { name: "Refunds are booked twice", level: 1 }).waitFor();
});

test("a file is added, told of, and comes back as it was", async () => {
  const page = await open(all.numbers[0]);
  const files = page.getByRole("region", { name: "Files" });
  const name = "Terminal log (1).txt";
  await files.locator('input[type="file"]').setInputFiles({ name, mimeType: "text/plain", buffer: Buffer.from("declined: 05\n") });
  await files.getByRole("link", { name }).waitFor();
  await page.getByRole("listitem").filter({ hasText: "added a file" }).getByRole("link", { name }).waitFor();
  const [download] = await Promise.all([page.waitForEvent("download"), files.getByRole("link", { name }).click()]);
  expect(readFileSync(await download.path(), "utf8")).toBe("declined: 05\n");
  // A program is no picture, whatever it calls itself.
  await files.locator('input[type="file"]').setInputFiles({ name: "cat.png", mimeType: "image/png", buffer: Buffer.from("MZ") });
  await files.getByText("These bytes are no image/png.").first().waitFor();
});

test("a vote is a button, and the one that decides moves the record", async () => {
  const number = await request(all.platform, all.who);
  const ada = await all.desk.signedIn("ada", `/requests/${number}`);
  await ada.getByRole("region", { name: "Vote: Approve" }).waitFor();
  const refused = ada.getByRole("region", { name: "Vote: Approve" }).getByRole("button", { name: "Approve", exact: true });
  expect(await refused.getAttribute("aria-disabled")).toBe("true");

  const page = await all.desk.signedIn("ben", `/requests/${number}`);
  const vote = page.getByRole("region", { name: "Vote: Approve" });
  await vote.getByText("0 of 1 approvals").waitFor();
  await accessible(page, "vote");
  await vote.getByRole("button", { name: "Approve", exact: true }).click();
  await page.getByRole("dialog").getByLabel("Comment").fill("She needs it.");
  await page.getByRole("dialog").getByRole("button", { name: "Approve" }).click();
  await page.getByRole("banner").or(page.locator("header")).getByText("Approved").first().waitFor();
  await page.getByRole("listitem").filter({ hasText: "She needs it." }).first().waitFor();
});

test("tasks are added, handed over and done, in their order", async () => {
  const number = await request(all.platform, all.who);
  const page = await all.desk.signedIn("ada", `/requests/${number}`);
  const tasks = page.getByRole("region", { name: "Tasks" });
  for (const title of ["Order the screen", "Put it up"]) {
    await tasks.getByRole("button", { name: "Add a task" }).click();
    await page.getByRole("dialog").getByLabel("What is to be done").fill(title);
    await page.getByRole("dialog").getByRole("button", { name: "Add a task" }).click();
    await tasks.getByRole("checkbox", { name: title }).waitFor();
  }
  await tasks.getByRole("button", { name: "More for: Put it up" }).click();
  await page.getByRole("menuitem", { name: "Hand over" }).click();
  await page.getByRole("dialog").getByRole("combobox", { name: "Who does it" }).fill("ben");
  await page.getByRole("option", { name: /Ben Lindqvist/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Hand over" }).click();
  await tasks.getByRole("link", { name: "Ben Lindqvist" }).waitFor();
  // It is done once the platform says so.
  await tasks.getByRole("checkbox", { name: "Order the screen" }).click();
  await tasks.getByText("1 of 2 done").waitFor();
  await page.getByRole("listitem").filter({ hasText: "finished a task" }).getByText("Order the screen").waitFor();
  await accessible(page, "tasks");
});

test("what is tied at a distance is seen as one chain, and children stand together", async () => {
  const [first, , third, , fifth] = all.numbers;
  await all.platform.ask("POST", `incidents/${third}/links`, { relation: "child_of", to: first ?? "" });
  const problem = await all.platform.open("problems", { title: "The acquirer's gateway times out" });
  await all.platform.ask("POST", `problems/${problem}/links`, { relation: "investigates", to: fifth ?? "" });
  const page = await open(third);
  await page.getByRole("radiogroup", { name: "View" }).getByText("Connections").click();
  const chain = page.getByRole("region", { name: "Connections" });
  await chain.getByRole("link", { name: /Card payments are declined/ }).waitFor();
  await chain.getByRole("link", { name: new RegExp(problem) }).waitFor();
  await accessible(page, "chain");
  await chain.getByRole("link", { name: /Card payments are declined/ }).click();
  await page.getByRole("heading", { name: "Children (1)" }).waitFor();
  // It ends from either end, by who means it.
  await page.getByRole("button", { name: `End the link to ${third}` }).click();
  const sure = page.getByRole("dialog", { name: `End the link to ${third}` });
  await sure.getByText("will no longer be tied").waitFor();
  await accessible(page, "the end of a link");
  await sure.getByRole("button", { name: "Remove" }).click();
  await page.getByText(`ended the link to ${third} (parent of)`).waitFor();
  expect(await page.getByRole("heading", { name: "Children (1)" }).count()).toBe(0);
});

test("every second of a promise is explained", async () => {
  const page = await open(all.numbers[1]);
  await page.getByRole("heading", { name: "Promises" }).waitFor();
  await page.getByRole("button", { name: "Why: Resolution" }).click();
  const why = page.getByRole("dialog", { name: "Resolution" });
  await why.getByRole("cell", { name: /running|standing still/ }).first().waitFor();
  await why.getByText("time zone Europe/Berlin").waitFor();
  expect(await why.locator("time").first().getAttribute("title")).toMatch(/Europe\/Berlin · .* UTC$/);
  await accessible(page, "explanation");
});

test("on a phone, in German, in the dark, it is the same record", async () => {
  const page = await all.desk.signedIn("ada", `/incidents/${all.numbers[0]}`, { viewport: { width: 390, height: 844 }, colorScheme: "dark", locale: "de-DE" });
  await page.getByRole("group", { name: "Aktionen" }).waitFor();
  await page.getByText("The acquirer confirms timeouts").waitFor();
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
  await accessible(page, "record on a phone, dark, German");
});
