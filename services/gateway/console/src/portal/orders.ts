/** How what the catalogue offers is ordered: the API's own words for it. */

import type { Asked } from "../fields/asked";
import { spoken } from "../fields/words";
import type { Data, Json, Service } from "../api/model";

export const ORDERS = { collection: "requests", service: "service", item: "item", form: "form" };

/** What an item's form asks for: a JSON Schema's properties, or names alone. */
export function questions(services: Service[] | undefined, service: string | undefined, item: string | undefined): Asked[] {
  const offered = services?.find((one) => one.code === service)?.request_items?.find((one) => one.name === item);
  const form = offered?.form ?? {};
  const properties = form.properties ?? form;
  if (typeof properties !== "object" || properties === null || Array.isArray(properties)) return [];
  return Object.entries(properties).map(([name, said]) => ({ name: inForm(name), label: spoken(name), schema: isSchema(said) ? said : { type: "string" } }));
}

const isSchema = (said: Json): said is { [name: string]: Json } => typeof said === "object" && said !== null && !Array.isArray(said);

const inForm = (name: string) => `${ORDERS.form}.${name}`;

/** The answers to those questions, as the record keeps them. */
export function answered(data: Data): Data {
  const prefix = inForm("");
  const answers = Object.entries(data).filter(([name]) => name.startsWith(prefix));
  const others = Object.entries(data).filter(([name]) => !name.startsWith(prefix));
  const form = Object.fromEntries(answers.map(([name, value]) => [name.slice(prefix.length), value]));
  return Object.fromEntries([...others, ...(answers.length > 0 ? [[ORDERS.form, form] as const] : [])]);
}
