/** Every URL, of the console and of the API, is written here and nowhere else. */

const id = encodeURIComponent;

export const api = {
  session: "/api/v1/session",
  password: "/api/v1/session/password",
  catalogue: "/api/v1/catalogue",
  events: "/api/v1/events",
  processes: "/api/v1/processes",
  definitionSchema: "/api/v1/definition.schema.json",
  duties: "/api/v1/duties",
  compliance: "/api/v1/clocks/compliance",
  process: (name: string) => `/api/v1/processes/${id(name)}`,
  schema: (name: string) => `/api/v1/processes/${id(name)}/schema`,
  counts: (name: string) => `/api/v1/processes/${id(name)}/counts`,
  series: (name: string) => `/api/v1/processes/${id(name)}/series`,
  flow: (name: string) => `/api/v1/processes/${id(name)}/flow`,
  check: (name: string) => `/api/v1/processes/${id(name)}/check`,
  versions: (name: string) => `/api/v1/processes/${id(name)}/versions`,
  version: (name: string, version: number | "present") => `/api/v1/processes/${id(name)}/versions/${version}`,
  migrate: (name: string) => `/api/v1/processes/${id(name)}/migrate`,
  publications: (service: string) => `/api/v1/services/${id(service)}/publications`,
  publication: (service: string, number: string) => `/api/v1/services/${id(service)}/publications/${id(number)}`,
  settle: (service: string, number: string, transition: string) =>
    `/api/v1/services/${id(service)}/publications/${id(number)}/transitions/${id(transition)}`,
  migration: (service: string, number: string) => `/api/v1/services/${id(service)}/migrations/${id(number)}`,
  collection: (collection: string) => `/api/v1/${id(collection)}`,
  batch: (collection: string) => `/api/v1/${id(collection)}/batch`,
  record: (collection: string, number: string) => `/api/v1/${id(collection)}/${id(number)}`,
  transition: (collection: string, number: string, name: string) =>
    `/api/v1/${id(collection)}/${id(number)}/transitions/${id(name)}`,
  more: (collection: string, number: string, what: "history" | "comments" | "links" | "explain" | "tasks" | "votes" | "attachments") =>
    `/api/v1/${id(collection)}/${id(number)}/${what}`,
  task: (collection: string, number: string, task: number) => `/api/v1/${id(collection)}/${id(number)}/tasks/${task}`,
  file: (collection: string, number: string, rev: number) => `/api/v1/${id(collection)}/${id(number)}/attachments/${rev}`,
  tie: (collection: string, number: string, relation: string, other: string) =>
    `/api/v1/${id(collection)}/${id(number)}/links/${id(relation)}/${id(other)}`,
  chain: (number: string) => `/api/v1/chain/${id(number)}`,
};

export const place = {
  overview: "/",
  account: "/account",
  portal: "/portal",
  report: (collection: string) => `/portal/new/${id(collection)}`,
  calendar: "/calendar",
  duties: "/duties",
  processes: "/processes",
  list: (collection: string) => `/${id(collection)}`,
  record: (collection: string, number: string) => `/${id(collection)}/${id(number)}`,
};
