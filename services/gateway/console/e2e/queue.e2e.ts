/** Working a queue. */

import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { accessible } from "./browser";
import { office } from "./office";

const all = office();

const rows = (page: Page) => page.locator("tbody tr[data-number]");
const row = (page: Page, number: string | undefined) => page.locator(`tr[data-number="${number}"]`);
const order = (page: Page) => rows(page).evaluateAll((all) => all.map((one) => one.getAttribute("data-number")));

async function list(path = "/incidents", login = "ada"): Promise<Page> {
  const page = await all.desk.signedIn(login, path);
  await rows(page).first().waitFor();
  return page;
}

test("the queue loads little script, and axe finds nothing", async () => {
  const page = await list();
  const bytes = await page.evaluate(() =>
    performance
      .getEntriesByType("resource")
      .filter((entry) => entry.name.endsWith(".js"))
      .reduce((sum, entry) => sum + (entry as PerformanceResourceTiming).encodedBodySize, 0),
  );
  console.log(`script of the queue: ${Math.round(bytes / 1000)} kB compressed`);
  expect(bytes).toBeGreaterThan(10_000);
  expect(bytes).toBeLessThanOrEqual(300_000);
  await accessible(page, "list");
});

test("conditions narrow the list, and say so as an expression", async () => {
  const page = await list();
  await page.getByRole("button", { name: "Add condition" }).click();
  await page.getByRole("checkbox", { name: "New" }).check();
  await page.getByRole("button", { name: "Apply" }).click();
  await expect.poll(() => rows(page).count()).toBe(3);
  expect(new URL(page.url()).searchParams.get("filter")).toBe("record.state in ['new']");
  await page.getByRole("button", { name: "As expression" }).click();
  const box = page.getByRole("combobox", { name: "Expression" });
  expect(await box.inputValue()).toBe("record.state in ['new']");
});

test("the values of a list of words are said in the reader's language wherever they stand", async () => {
  const german = { locale: "de-DE" };
  const change = { title: "Replace the gate's motor", service: "SVC-POS", type: "emergency", threat: "It smokes.", likelihood: "high" };
  const number = await all.platform.open("changes", change);
  const page = await all.desk.signedIn("ada", "/changes?columns=number,type,likelihood,state&filter=record.type%20%3D%3D%20'emergency'", german);
  await row(page, number).getByText("Notfalländerung").waitFor();
  await row(page, number).getByText("Hoch").waitFor();
  const condition = page.getByRole("button", { name: "Bedingung 1" });
  expect(await condition.innerText()).toBe("Typ ist Notfalländerung");
  await condition.click();
  expect(await page.locator("form").getByLabel("Wert").first().inputValue()).toBe("Notfalländerung");
  const board = await all.desk.signedIn("ada", "/changes?as=board", german);
  await board.getByRole("listitem").filter({ hasText: number }).getByText("Notfalländerung").waitFor();
  const record = await all.desk.signedIn("ada", `/changes/${number}`, german);
  await record.getByText("Hoch", { exact: true }).waitFor();
  const incidents = await all.desk.signedIn("ada", "/incidents?columns=number,impact&sort=number", german);
  await row(incidents, all.numbers[2]).getByText("Niedrig").dblclick();
  await incidents.getByRole("option", { name: "Mittel" }).waitFor();
  // In English a word is spoken as its name is, where the definition says no other.
  const english = await all.desk.signedIn("ada", `/incidents?columns=number,channel&sort=number`);
  await row(english, all.numbers[2]).getByText("Phone", { exact: true }).waitFor();
});

test("an expression is completed while it is written, and its faults stand beneath it", async () => {
  const page = await list();
  await page.getByRole("button", { name: "As expression" }).click();
  const box = page.getByRole("combobox", { name: "Expression" });
  await box.pressSequentially("record.pri");
  await page.getByRole("option", { name: "priority" }).waitFor();
  await box.press("Tab");
  await box.pressSequentially(" <= 2 || record.state == 'on_");
  await box.press("Tab");
  await box.press("Enter");
  await expect.poll(() => rows(page).count()).toBe(4);
  await box.fill("record.title == 'x'");
  await box.press("Enter");
  await page.getByText("`record.title` has no index").waitFor();
});

test("a row changes where it stands, and others are announced", async () => {
  const page = await list();
  await page.locator('[data-live="true"]').waitFor();
  const before = await order(page);
  const number = all.numbers[7];
  await all.platform.take("incidents", String(number), "assign", { group: all.who.network });
  await row(page, number).getByText("Assigned").waitFor();
  expect(await order(page)).toEqual(before);
  const opened = await all.platform.open("incidents", { title: "The roof leaks", impact: "low", urgency: "low" });
  await page.getByRole("button", { name: "1 changed since: show them" }).click();
  await row(page, opened).waitFor();
});

test("one action for many tells each its own result", async () => {
  const page = await list("/incidents?sort=number", "ben");
  await page.getByRole("checkbox", { name: `Select ${all.numbers[5]}` }).check();
  await page.getByRole("checkbox", { name: `Select ${all.numbers[3]}` }).check();
  await page.getByRole("group", { name: "2 selected" }).getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("dialog").getByLabel("Reason").fill("Asked for twice.");
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  const results = page.getByRole("dialog", { name: "1 of 2 done" });
  await results.getByRole("listitem").filter({ hasText: `${all.numbers[5]} Done` }).waitFor();
  await results.getByRole("listitem").filter({ hasText: `${all.numbers[3]} \`cancel\` is not possible` }).waitFor();
  await results.getByRole("button", { name: "Close" }).last().click();
  await row(page, all.numbers[5]).getByText("Cancelled").waitFor();
});

test("everything goes by keyboard", async () => {
  const page = await list("/incidents?sort=number");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  await page.keyboard.press("x");
  expect(await page.getByRole("checkbox", { name: `Select ${all.numbers[0]}` }).isChecked()).toBe(true);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Card payments are declined", level: 1 }).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Type a command" }).fill("inc2");
  await page.getByRole("option", { name: /INC0000002/ }).waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Mail arrives an hour late" }).waitFor();
  await page.getByRole("combobox", { name: "Type a command" }).waitFor({ state: "detached" });
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Type a command" }).fill("go to group");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Group", level: 1 }).waitFor();
  await page.getByRole("combobox", { name: "Type a command" }).waitFor({ state: "detached" });
  await page.keyboard.press("/");
  expect(await page.evaluate(() => document.activeElement?.getAttribute("type"))).toBe("search");
  await page.keyboard.press("Tab");
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
  await accessible(page, "keyboard shortcuts");
});

test("a row is assigned by one key", async () => {
  const page = await list("/incidents?sort=number&filter=record.state+in+%5B%27new%27%5D");
  await page.keyboard.press("j");
  await page.keyboard.press("a");
  const form = page.getByRole("dialog", { name: "Assign" });
  await expect.poll(() => form.getByRole("combobox", { name: "Assignee" }).inputValue()).toMatch(/Ada Okafor/);
  await page.keyboard.press("Escape");
  await form.waitFor({ state: "detached" });
  expect(new URL(page.url()).hash).toBe("");
});

test("the file that a list becomes holds values, no formulas", async () => {
  await all.platform.open("incidents", { title: '=HYPERLINK("http://x")', impact: "low", urgency: "low" });
  const page = await list("/incidents?columns=number,title,state&sort=number");
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Export CSV" }).click()]);
  const text = readFileSync(await download.path(), "utf8");
  const lines = text.replace("\uFEFF", "").trim().split("\r\n");
  expect(lines[0]).toBe("Number,Title,State");
  expect(lines).toContain("INC0000001,Card payments are declined at the Lisbon stores,in_progress");
  expect(text).toContain(`"'=HYPERLINK(""http://x"")"`);
});

test("a list is saved for later, and shared", async () => {
  const page = await list("/incidents?filter=record.priority+%3C%3D+2&sort=priority");
  await page.getByRole("button", { name: "Views" }).click();
  await page.getByRole("menuitem", { name: "Save this view" }).click();
  await page.getByLabel("Name of the view").fill("What burns");
  await page.getByRole("checkbox", { name: "Agent" }).check();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("View saved.").waitFor();

  const ben = await list("/incidents", "ben");
  await ben.getByRole("button", { name: "Views" }).click();
  await ben.getByRole("menuitem", { name: "What burns" }).click();
  await ben.getByRole("button", { name: "Condition 1" }).waitFor();
  expect(new URL(ben.url()).searchParams.get("filter")).toBe("record.priority <= 2");
});

test("the palette finds actions, records by their words, and saved lists", async () => {
  const page = await list();
  const palette = async (words: string, option: RegExp) => {
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Type a command" }).fill(words);
    await page.getByRole("option", { name: option }).first().waitFor();
    await page.getByRole("option", { name: option }).first().click();
    await page.getByRole("combobox", { name: "Type a command" }).waitFor({ state: "detached" });
  };
  await palette("settlement", /INC0000008 · Settlement file/);
  await page.getByRole("heading", { name: "Settlement file of Friday is missing" }).waitFor();
  await palette("what burns", /What burns \(Incident\).*View/);
  await page.getByRole("button", { name: "Condition 1" }).waitFor();
  await palette("settlement", /INC0000008/);
  await page.getByRole("heading", { name: "Settlement file of Friday is missing" }).waitFor();
  await palette("action edit", /Edit/);
  await page.getByRole("dialog", { name: "Edit: INC0000008" }).waitFor();
});

test("a cell is changed where it stands, by keyboard alone", async () => {
  const page = await list("/incidents?sort=number");
  const cell = (field: string) => page.getByRole("button", { name: `Edit ${field} of ${all.numbers[2]}` });
  const form = page.getByRole("form", { name: new RegExp(`of ${all.numbers[2]}$`) });
  await row(page, all.numbers[2]).focus();
  await page.keyboard.press("F2");
  const title = form.getByRole("textbox");
  expect(await title.inputValue()).toBe("Till 4 in Porto restarts by itself");
  await accessible(page, "a cell that is written in");
  // Escape leaves everything as it was, and the keyboard where it was.
  await title.fill("Nonsense");
  await page.keyboard.press("Escape");
  await row(page, all.numbers[2]).getByText("Till 4 in Porto restarts by itself").waitFor();
  expect(await cell("Title").evaluate((button) => button === document.activeElement)).toBe(true);
  await page.keyboard.press("Enter");
  await title.fill("");
  await page.keyboard.press("Enter");
  await form.getByRole("alert").filter({ hasText: "`title`" }).waitFor();
  expect(await title.getAttribute("aria-invalid")).toBe("true");
  await title.fill("Till 4 in Porto is slow");
  await page.keyboard.press("Enter");
  await row(page, all.numbers[2]).getByText("Till 4 in Porto is slow").waitFor();
  // Along the row to what else may be changed.
  await form.waitFor({ state: "detached" });
  await page.keyboard.press("ArrowRight");
  expect(await page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toMatch(/^Edit (?!Title)/);
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  expect(await row(page, all.numbers[2]).evaluate((one) => one === document.activeElement)).toBe(true);
});

test("a cell is changed by a double click, and others in the row stay as they are", async () => {
  const page = await list("/incidents?sort=number");
  await row(page, all.numbers[2]).getByText("Store Tills").dblclick();
  const form = page.getByRole("form", { name: `Edit Service of ${all.numbers[2]}` });
  await form.getByRole("combobox").fill("SVC-PAY");
  await form.getByRole("button", { name: "Save" }).click();
  await row(page, all.numbers[2]).getByText("Instant Payments").waitFor();
});

test("what others change meanwhile is told of, and lost by nobody", async () => {
  const page = await list("/incidents?sort=number&columns=number,title,category,state");
  const number = String(all.numbers[6]);
  const edit = () => page.getByRole("button", { name: `Edit Title of ${number}` }).focus().then(() => page.keyboard.press("F2"));
  const form = page.getByRole("form", { name: `Edit Title of ${number}` });
  // Another field is in nobody's way.
  await edit();
  await all.platform.ask("PATCH", `incidents/${number}`, { category: "hardware" });
  await form.getByRole("textbox").fill("VPN drops every hour");
  await page.keyboard.press("Enter");
  await row(page, number).getByText("VPN drops every hour").waitFor();
  expect(((await all.platform.ask("GET", `incidents/${number}`)).data as { category: string }).category).toBe("hardware");
  // The same one is a sentence, with what stands there now.
  await form.waitFor({ state: "detached" });
  await edit();
  await all.platform.ask("PATCH", `incidents/${number}`, { title: "VPN is slow" });
  await form.getByRole("textbox").fill("VPN drops all day");
  await page.keyboard.press("Enter");
  await form.getByRole("alert").filter({ hasText: `Somebody changed this in ${number} meanwhile.` }).waitFor();
  await form.getByText("It now says: VPN is slow").waitFor();
  expect(await form.getByRole("textbox").inputValue()).toBe("VPN drops all day");
  await page.keyboard.press("Enter");
  await row(page, number).getByText("VPN drops all day").waitFor();
});

test("the board shows the same query by state", async () => {
  const page = await all.desk.signedIn("ada", "/incidents");
  await page.getByRole("radiogroup", { name: "View" }).getByText("Board").click();
  await page.getByRole("region", { name: "Incident" }).getByRole("link", { name: "Card payments are declined at the Lisbon stores" }).waitFor();
  const columns = await page.getByRole("region", { name: "Incident" }).getByRole("heading", { level: 2 }).allInnerTexts();
  const { order, labels } = (await all.platform.ask("GET", "processes/incident")) as unknown as { order: string[]; labels: { states: Record<string, string> } };
  expect(columns.map((text) => text.split("\n")[0])).toEqual(order.map((state) => labels.states[state]));
  await accessible(page, "board");
});

test("a card is dragged to a state by the step that leads there, or moved by its menu", async () => {
  const number = await all.platform.open("incidents", { title: "The gate does not open", impact: "low", urgency: "low" });
  const page = await all.desk.signedIn("ada", "/incidents?as=board");
  const column = (state: string) => page.locator("section").filter({ has: page.getByRole("heading", { level: 2, name: new RegExp(`^${state}`) }) });
  const card = (state: string) => column(state).getByRole("listitem").filter({ hasText: number });
  // It asks for what the step needs.
  await card("New").dragTo(column("Assigned"));
  const form = page.getByRole("dialog", { name: "Assign" });
  await form.getByRole("combobox", { name: "Group" }).fill("netw");
  await page.getByRole("option", { name: /Network/ }).click();
  await form.getByRole("button", { name: "Assign" }).click();
  await card("Assigned").waitFor();
  // Where no step leads, it stays.
  await card("Assigned").dragTo(column("Closed"));
  await card("Assigned").waitFor();
  await card("Assigned").getByRole("button", { name: `Actions for ${number}` }).click();
  await page.getByRole("menuitem", { name: "Start", exact: true }).click();
  const start = page.getByRole("dialog", { name: "Start" });
  await start.getByRole("button", { name: "Start" }).click();
  await card("In progress").waitFor();
});

test("a long list goes on as far as somebody looks", async () => {
  const commands = Array.from({ length: 150 }, (_, index) => ({ open: { name: `Person ${index}` } }));
  await all.platform.ask("POST", "persons/batch", { commands });
  const page = await list("/persons?sort=number");
  expect(await rows(page).count()).toBe(50);
  await expect
    .poll(async () => {
      await rows(page).last().scrollIntoViewIfNeeded();
      return rows(page).count();
    }, { timeout: 20_000 })
    .toBe(153);
});

test("on a phone the list is one of cards", async () => {
  const page = await all.desk.signedIn("ada", "/incidents", { viewport: { width: 390, height: 844 }, colorScheme: "dark" });
  await rows(page).first().waitFor();
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
  await accessible(page, "list on a phone");
  await page.getByRole("button", { name: "Menu" }).click();
  await page.getByRole("dialog").getByRole("link", { name: "Overview" }).click();
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
});
