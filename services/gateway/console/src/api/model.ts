/** What the API answers. The parts that are the same for every process are generated from its document. */

import type { components } from "./generated";

type Schemas = components["schemas"];

export type Who = Schemas["Who"];
/** How a vote stands. */
export type Tally = { quorum: number; approvals: number; rejections: number; missing: number };
export type Offer = Schemas["Offer"] & { vote?: Tally };
export type Entry = Schemas["History"]["items"][number];
export type Tie = Schemas["Links"]["items"][number];
export type Fault = Schemas["ProblemDetails"]["errors"][number];
export type ProblemDetails = Schemas["ProblemDetails"];

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type Data = { [name: string]: Json };

/** A record of any process. */
export type RecordView = Omit<Schemas["Group"], "data" | "process" | "state" | "offers"> & {
  offers?: Offer[];
  process: string;
  state: string;
  data: Data;
};

/** A file of a record; `rev` names it. */
export type Attachment = Schemas["Attachments"]["items"][number];

/** What a record keeps by itself of votes and tasks. */
export type Cast = { transition: string; by: string; name: string; vote: "approve" | "reject" | "delegate"; to?: string; for?: string; at: string };
export type Task = { id: number; title: string; assignee?: string; after?: number[]; state: "open" | "done" | "dropped"; done: boolean; by?: string; at?: string };

/** Somebody was told of a record. */
export type Notice = { rule: string; of: string; to: string[]; subject: string; text: string };

/** A record and all that it is tied to, near and far. */
export type Chain = {
  records: { distance: number; record: RecordView; links: { relation: string; to: string }[] }[];
  is_whole: boolean;
  unreachable: string[];
};

/** A service as those who use it see it. */
export type Service = {
  number: string;
  status: string;
  title: string;
  code: string;
  description?: string;
  request_items?: { name: string; form: { [name: string]: Json }; within?: string; approval?: string; price?: number; currency?: string }[];
};

export type Page = { items: RecordView[]; next: string | null };

/** The words of JSON Schema that forms look at. */
export type Schema = {
  type?: string | string[];
  enum?: Json[];
  anyOf?: Schema[];
  format?: string;
  default?: Json;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  items?: Schema;
  properties?: { [name: string]: Schema };
  required?: string[];
  readOnly?: boolean;
  description?: string;
};

export type Choice = { value: string | number | boolean; title: string | null };

export type Field = {
  name: string;
  schema: Schema;
  index: "text" | "number" | "time" | null;
  /** A stretch of time: what has an index are its ends. */
  is_window: boolean;
  read_only: boolean;
  required: boolean;
  reference: string | null;
  /** What it may hold, each value with what it is called. */
  choices?: Choice[];
  /** Its parts by where they stand in it: `measure` of `levels`. */
  parts?: { [path: string]: { label: string; choices?: Choice[] } };
};

export type Transition = {
  name: string;
  label: string;
  to: string;
  by: string[];
  needs: string[];
  takes: string[];
  says: string;
};

export type ProcessSummary = {
  process: string;
  collection: string;
  prefix: string;
  title: string;
  version: number;
  roles: string[];
  /** Clauses of ISO/IEC 20000-1 that it serves. */
  clauses: string[];
  /** The stretch of time that calendars show. */
  window: string | null;
  /** The service that it lives with; only lists of processes say it. */
  service?: string;
  /** How a record may be tied to others, and what each end calls it. */
  links: { relation: string; label: string; inverse: string; inverse_label: string }[];
};

export type Process = ProcessSummary & {
  /** How things are called in the reader's language. */
  labels: { states: Record<string, string>; fields: Record<string, string>; roles: Record<string, string> };
  fields: Field[];
  open: { refused_because: string | null };
  /** Whether the reader may put another version in force; only the process in force says it. */
  publish?: { refused_because: string | null; needs_another: boolean };
  starts: string[];
  /** All states as the definition tells them: a life from its beginning on. */
  order: string[];
  states: { [state: string]: Transition[] };
  /** Who leads tasks; null where records have none. */
  tasks: { by: string[] } | null;
  /** The link by which a record has children. */
  children: { tied: string } | null;
};

/** The JSON Schema of each command. */
export type CommandSchemas = {
  open: Schema;
  amend: Schema;
  data: Schema;
  transitions: { [name: string]: Schema };
};

export type Segment = {
  from: string;
  to: string;
  seconds: number;
  running: boolean;
  because: string;
  event: string;
  agreement: string | null;
  calendar: string | null;
};

export type Explanation = {
  clock: string;
  target: string;
  as_of: string;
  elapsed_seconds: number;
  sentence: string;
  /** The time zone in which the agreement's hours are said. */
  zone: string | null;
  segments: Segment[];
};

/** One command's outcome of many. */
export type BatchResult = { status: number; record?: RecordView; problem?: ProblemDetails };
