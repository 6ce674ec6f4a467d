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
  const ben = await person("Ben Lindqvist", "ben", ["agent", "incident_manager", "supplier_manager"]);
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

const TARGETS = [
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
    limits: [{ when: {}, within: "PT8H", calendar: "service_hours" }],
  },
];

/** A promise to everybody, in force: each incident from now on has its clocks. */
export async function promise(platform: Platform, people: People): Promise<void> {
  await agreed(platform, people, { title: "Everything for everybody" });
}

/** Something that can be ordered: a service that is live, with an item in the catalogue. */
export async function offering(platform: Platform, people: People): Promise<void> {
  const item = { name: "Shared mailbox", form: { address: "text" }, approval: "The manager agrees.", fulfilment: "Make it.", within: "P1D", price: 3, currency: "EUR" };
  const service = await platform.open("services", { title: "Mail", code: "SVC-MAIL", description: "Electronic mail", request_items: [item] });
  await agreed(platform, people, { title: "Mail for everybody", service: "SVC-MAIL", service_record: service });
  await platform.settled(`services/${service}`, (record) => (record.data as { agreement?: string }).agreement !== undefined);
  await platform.take("services", service, "launch", { change: "CHG0000001" });
}

async function agreed(platform: Platform, { cleo }: People, about: { [name: string]: string }): Promise<void> {
  const number = await platform.open("agreements", { ...about, customer_contact: cleo, targets: TARGETS, valid_from: "2026-01-01T00:00:00Z" });
  await platform.take("agreements", number, "propose");
  await platform.take("agreements", number, "sign");
  // The other party signs for itself.
  await (await acting(platform, cleo)).take("agreements", number, "countersign");
  await platform.settled(`agreements/${number}`, (record) => record.state === "active");
}

/** The platform as a person asks it, with a key of their own. */
export async function acting(platform: Platform, person: string): Promise<Platform> {
  const key = await platform.ask("POST", "api-keys", { name: `Key of ${person}`, person, scopes: ["records:read", "records:write"] });
  return platform.as(String(key.secret));
}

/** A request of one person that waits for the approval of another. */
export async function request(platform: Platform, { ben, cleo }: People): Promise<string> {
  const requester = await acting(platform, cleo);
  const number = await requester.open("requests", { title: "A second screen", service: "SVC-DESK", item: "Screen" });
  await requester.take("requests", number, "submit");
  await platform.take("requests", number, "ask", { is_entitled: true, approver: `person:${ben}` });
  return number;
}

/** Changes with windows about a moment; their numbers. The last began by word of mouth alone, and owes its approval. */
export async function changes(platform: Platform, { ada, ben }: People, about: Date): Promise<string[]> {
  const window = (day: number, hour: number, hours: number) => {
    const from = new Date(about.getFullYear(), about.getMonth(), about.getDate() + day, hour);
    return { from: from.toISOString(), to: new Date(from.getTime() + hours * 3_600_000).toISOString() };
  };
  const planned: [string, { from: string; to: string }][] = [
    ["Replace the core switch in Hamburg", window(0, 9, 3)],
    ["Renew the certificates of the payment gateway", window(1, 20, 2)],
    ["Move the mail archive to the new storage", window(-3, 18, 72)],
    ["Patch the tills of the north", window(6, 5, 4)],
  ];
  const numbers: string[] = [];
  for (const [title, during] of planned) {
    numbers.push(await platform.open("changes", { title, service: "SVC-PAY", type: "normal", window: during, implementer: `person:${ada}` }));
  }
  const urgent = await platform.open("changes", { title: "Block the stolen terminal's key", service: "SVC-PAY", type: "emergency", threat: "A terminal was stolen with its key.", plan: "Revoke the key.", implementer: `person:${ada}` });
  await platform.take("changes", urgent, "break_glass", { authorised_by: `person:${ben}` });
  return [...numbers, urgent];
}
