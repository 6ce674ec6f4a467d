/** How the console asks the API: one function, one kind of error. */

import type { Fault, ProblemDetails } from "./model";

/** What the API refused, in its own words. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly faults: Fault[];

  constructor(details: Pick<ProblemDetails, "status" | "code" | "detail" | "errors">) {
    super(details.detail);
    this.status = details.status;
    this.code = details.code;
    this.faults = details.errors;
  }
}

export type Asked = {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  query?: Record<string, string | number | undefined>;
  body?: unknown;
  /** A file of YAML, in place of a body of JSON. */
  text?: string;
  /** The revision that the reader has seen. */
  rev?: number;
  /** The version that a file was made from, as its `ETag` said it. */
  tag?: string;
  signal?: AbortSignal;
};

let csrfToken: string | null = null;
let language = "en";

/** The language in which the API names things. */
export function speak(code: string): void {
  language = code;
}

/** The token that the session's changes carry; it came with the session. */
export function carry(token: string | null): void {
  csrfToken = token;
}

/** A name that nobody else gives: a request that is sent again is done once. */
function onceKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function url(path: string, query: Asked["query"] = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const search = new URLSearchParams(pairs.map(([name, value]) => [name, String(value)]));
  return pairs.length > 0 ? `${path}?${search.toString()}` : path;
}

/** Asks, and gives the JSON of the answer. Throws a {@link Problem} for everything else. */
export async function ask<T>(path: string, asked: Asked = {}): Promise<T> {
  return spoken(await request(path, asked));
}

/** A file, with the tag by which it is known what a change was made from. */
export async function read(path: string): Promise<{ text: string; tag: string }> {
  const answer = await request(path, {});
  return { text: await answer.text(), tag: answer.headers.get("etag") ?? "" };
}

function request(path: string, asked: Asked): Promise<Response> {
  const method = asked.method ?? "GET";
  const headers = new Headers({ accept: "application/json", "accept-language": language });
  if (asked.body !== undefined) headers.set("content-type", "application/json");
  if (asked.text !== undefined) headers.set("content-type", "application/yaml");
  if (method !== "GET" && csrfToken !== null) headers.set("x-csrf-token", csrfToken);
  if (method === "POST") headers.set("idempotency-key", onceKey());
  if (asked.tag !== undefined) headers.set("if-match", asked.tag);
  if (asked.rev !== undefined) headers.set("if-match", `"${asked.rev}"`);
  const init: RequestInit = { method, headers };
  if (asked.body !== undefined) init.body = JSON.stringify(asked.body);
  if (asked.text !== undefined) init.body = asked.text;
  if (asked.signal) init.signal = asked.signal;
  return answered(path, asked.query, init);
}

/** Sends a file as it is, under its name. */
export async function send<T>(path: string, file: File): Promise<T> {
  const headers = new Headers({ accept: "application/json", "accept-language": language });
  headers.set("content-type", file.type === "" ? "application/octet-stream" : file.type);
  if (csrfToken !== null) headers.set("x-csrf-token", csrfToken);
  headers.set("idempotency-key", onceKey());
  return spoken(await answered(path, { name: file.name }, { method: "POST", headers, body: file }));
}

/** What an answer says. */
async function spoken<T>(answer: Response): Promise<T> {
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

async function answered(path: string, query: Asked["query"], init: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(url(path, query), { ...init, credentials: "same-origin" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem({ status: 0, code: "unreachable", detail: "Steward does not answer.", errors: [] });
  }
  if (answer.ok) return answer;
  const problem: unknown = await answer.json().catch(() => null);
  throw new Problem(asProblem(problem, answer.status));
}

function asProblem(body: unknown, status: number): Pick<ProblemDetails, "status" | "code" | "detail" | "errors"> {
  if (typeof body === "object" && body !== null && "detail" in body && "code" in body) {
    const { code, detail } = body as ProblemDetails;
    return { status, code, detail, errors: (body as ProblemDetails).errors ?? [] };
  }
  return { status, code: "unexpected", detail: `The answer was ${status}.`, errors: [] };
}
