/** A small organisation at work, made by doing what people do. */

import type { Platform } from "./platform";

export const PASSWORD = "four words make one";

export type People = { ada: string; ben: string; cleo: string; network: string };

export async function people(platform: Platform): Promise<People> {
  const person = async (name: string, login: string, roles: string[]) => {
    const number = await platform.open("persons", { name, login, email: `${login}@example.org`, roles });
    await platform.ask("POST", "passwords", { person: number, password: PASSWORD });
    return number;
  };
  const ada = await person("Ada Okafor", "ada", ["agent"]);
  const ben = await person("Ben Lindqvist", "ben", ["agent", "incident_manager"]);
  const cleo = await person("Cleo Marchetti", "cleo", ["requester"]);
  const network = await platform.open("groups", { name: "Network", members: [ada, ben] });
  await platform.open("groups", { name: "Payments", members: [ben] });
  return { ada, ben, cleo, network };
}

const REPORTS: [string, string, string, string][] = [
  ["Card payments are declined at the Lisbon stores", "SVC-PAY", "high", "high"],
  ["Mail arrives an hour late", "SVC-MAIL", "medium", "medium"],
  ["Till 4 in Porto restarts by itself", "SVC-POS", "low", "medium"],
  ["Nobody in the Hamburg office can print", "SVC-MAIL", "medium", "low"],
  ["Refunds are booked twice", "SVC-PAY", "high", "medium"],
  ["New starters have no mailbox", "SVC-MAIL", "low", "low"],
  ["VPN drops every twenty minutes", "SVC-MAIL", "medium", "high"],
  ["Settlement file of Friday is missing", "SVC-PAY", "high", "low"],
];

/** Incidents in several states; the numbers are those of the reports above, from the first on. */
export async function incidents(platform: Platform, { ada, network }: People): Promise<string[]> {
  const numbers: string[] = [];
  for (const [title, service, impact, urgency] of REPORTS) {
    const description = `${title}. Reported by phone; the caller can be reached until six.`;
    numbers.push(await platform.open("incidents", { title, description, service, impact, urgency, channel: "phone", category: "software" }));
  }
  const [first, second, third, fourth, fifth] = numbers as [string, string, string, string, string];
  const assign = (number: string) => platform.take("incidents", number, "assign", { group: network, assignee: `person:${ada}` });
  for (const number of [first, second, third, fourth, fifth]) await assign(number);
  for (const number of [first, second, third, fourth]) await platform.take("incidents", number, "start");
  await platform.take("incidents", second, "hold", { hold_reason: "supplier", reason: "The provider looks into its queue." });
  await platform.take("incidents", fourth, "resolve", { resolution_code: "fixed", resolution: "The print server runs again." });
  await platform.ask("POST", `incidents/${first}/comments`, { text: "The acquirer confirms timeouts since 09:40.\nA bridge is open." });
  await platform.ask("POST", `incidents/${fifth}/links`, { relation: "related_to", to: first });
  return numbers;
}

/** A promise to everybody, in force: each incident from now on has its clocks. */
export async function promise(platform: Platform, { cleo }: People): Promise<void> {
  const targets = [
    {
      name: "response",
      process: "incident",
      stops: [{ event: ["assigned", "started"] }],
      limits: [{ when: {}, within: "PT30M" }],
    },
    {
      name: "resolution",
      process: "incident",
      stops: [{ state: ["resolved", "closed"] }],
      pauses: [{ state: ["on_hold"] }],
      cancels: [{ state: ["cancelled"] }],
      limits: [{ when: {}, within: "PT8H" }],
    },
  ];
  const agreement = { title: "Everything for everybody", customer_contact: cleo, targets, valid_from: "2026-01-01T00:00:00Z" };
  const number = await platform.open("agreements", agreement);
  await platform.take("agreements", number, "propose");
  await platform.take("agreements", number, "sign");
  // The other party signs for itself, with a key of its own.
  const key = await platform.ask("POST", "api-keys", { name: "Cleo's", person: cleo, scopes: ["records:read", "records:write"] });
  await platform.as(String(key.secret)).take("agreements", number, "countersign");
  await platform.settled(`agreements/${number}`, (record) => record.state === "active");
}
