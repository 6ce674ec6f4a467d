/** Those who are served, and how anybody comes in. */

import { expect, test } from "vitest";
import { accessible } from "./browser";
import { office } from "./office";
import { acting, offering } from "./organisation";

const all = office(offering);
const PHONE = { viewport: { width: 390, height: 844 } };

test("a requester reports, follows, answers and confirms, on a phone", async () => {
  const page = await all.desk.signedIn("cleo", "/", PHONE);
  await page.getByRole("heading", { name: "How can we help?" }).waitFor();
  expect(await page.getByRole("button", { name: "Menu" }).count()).toBe(0);
  await accessible(page, "portal");
  await page.getByRole("link", { name: /^Incident/ }).click();
  await page.getByRole("heading", { name: "Incident", level: 1 }).waitFor();
  await accessible(page, "report");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("`title` is missing").waitFor();
  await page.getByLabel("Title").fill("My badge opens no door");
  await page.getByLabel("Description").fill("Since this morning, on all floors.");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByRole("heading", { name: "My badge opens no door", level: 1 }).waitFor();
  const number = new URL(page.url()).pathname.split("/").pop() ?? "";
  await page.locator('input[type="file"]').setInputFiles({ name: "badge.txt", mimeType: "text/plain", buffer: Buffer.from("4711") });
  await page.getByRole("region", { name: "Files" }).getByRole("link", { name: "badge.txt" }).waitFor();
  await page.getByLabel("Comment").fill("It is urgent now.");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByRole("listitem").filter({ hasText: "It is urgent now." }).waitFor();
  await page.locator('[data-live="true"]').waitFor();

  const agent = await acting(all.platform, all.who.ben);
  await agent.ask("PATCH", `incidents/${number}`, { impact: "low", urgency: "high" });
  await agent.take("incidents", number, "assign", { group: all.who.network });
  await agent.take("incidents", number, "start");
  await agent.take("incidents", number, "resolve", { resolution_code: "fixed", resolution: "The badge is unlocked." });
  const next = page.getByRole("region", { name: "What you can do now" });
  await next.getByText("The badge is unlocked.").waitFor();
  await accessible(page, "resolved, on a phone");
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
  await next.getByRole("button", { name: "Close" }).click();
  await page.getByText("Close: done").waitFor();
  await page.getByRole("link", { name: "Back to the start" }).click();
  await page.getByText("1 closed").click();
  await page.getByRole("link", { name: /My badge opens no door/ }).waitFor();
});

test("what the catalogue offers is ordered with its own form", async () => {
  const page = await all.desk.signedIn("cleo", "/");
  await page.getByRole("link", { name: /Shared mailbox/ }).click();
  await page.getByRole("heading", { name: "Shared mailbox", level: 1 }).waitFor();
  await page.getByLabel("Address").fill("press@example.org");
  await accessible(page, "order");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("is on its way.").waitFor();
  await page.getByRole("region", { name: "What you can do now" }).getByRole("button", { name: "Submit" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Submit" }).click();
  await page.getByText("Submitted").first().waitFor();
  const number = new URL(page.url()).pathname.split("/").pop() ?? "";
  const { data } = (await all.platform.ask("GET", `requests/${number}`)) as { data: { item: string; service: string; form: { [name: string]: string } } };
  expect([data.item, data.service, data.form]).toEqual(["Shared mailbox", "SVC-MAIL", { address: "press@example.org" }]);
});

test("the portal is one in German and in the dark, and shows no other record", async () => {
  const page = await all.desk.signedIn("cleo", "/", { ...PHONE, locale: "de-DE", colorScheme: "dark" });
  await page.getByRole("heading", { name: "Wie können wir helfen?" }).waitFor();
  await accessible(page, "portal, dark, German");
  await page.goto(`/incidents/${all.numbers[0]}`);
  await page.getByRole("alert").waitFor();
});

test("an administrator lets somebody in, who sets a password and changes it later", async () => {
  const admin = await all.desk.page();
  await admin.goto(all.platform.link);
  await admin.getByRole("button", { name: "Account: Administrator" }).click();
  await admin.getByRole("menuitem", { name: "Your account" }).click();
  await admin.getByRole("button", { name: "Let somebody in" }).click();
  const form = admin.getByRole("dialog", { name: "Let somebody in" });
  await form.getByLabel("Name").fill("Dana Weiss");
  await form.getByLabel("Login").fill("dana");
  await form.getByRole("button", { name: "Let somebody in" }).click();
  const link = await admin.getByRole("dialog", { name: "Dana Weiss" }).getByLabel("One-time link").inputValue();
  await accessible(admin, "one-time link");

  const page = await all.desk.page();
  await page.goto(link);
  await page.getByRole("heading", { name: "Dana Weiss", level: 1 }).waitFor();
  await page.getByRole("listitem").filter({ hasText: "this one" }).waitFor();
  await accessible(page, "account");
  const set = async (current: string | null, next: string) => {
    if (current !== null) await page.getByLabel("Present password").fill(current);
    await page.getByLabel("New password").fill(next);
    await page.getByLabel("The new one again").fill(next);
    await page.getByRole("button", { name: "Set password" }).click();
  };
  await set(null, "short");
  await page.getByText("A password has 12 to 200 characters.").waitFor();
  await set(null, "dana's first password");
  await page.getByText("The password is set.").waitFor();
  await page.getByRole("button", { name: "Account: Dana Weiss" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByLabel("Login").fill("dana");
  await page.locator('input[type="password"]').fill("dana's first password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Dana Weiss", level: 1 }).waitFor();
  await set("not this one at all", "dana's second password");
  await page.getByText("This is not your present password.").waitFor();
  await set("dana's first password", "dana's second password");
  await page.getByText("The password is set.").waitFor();

  await admin.goto("/persons?sort=-number");
  await admin.getByRole("link", { name: "Dana Weiss" }).click();
  await admin.getByRole("button", { name: "One-time link", exact: true }).click();
  await admin.getByRole("dialog", { name: "Dana Weiss" }).getByLabel("One-time link").waitFor();
});
