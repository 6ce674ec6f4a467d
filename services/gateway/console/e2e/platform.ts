/** A platform of the test's own: the real binary, a fresh folder, a free port. */

import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

/** Starting may fetch a nats-server. */
const READY_WITHIN_MS = 120_000;
const TOKEN = "console-e2e-administrator";

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

function binary(): string {
  const target = process.env.CARGO_TARGET_DIR ?? resolve(import.meta.dirname, "../../../../target");
  const file = process.env.STEWARD_BINARY ?? join(target, "debug/steward");
  if (!existsSync(file)) throw new Error(`${file} is missing: cargo build -p steward`);
  return file;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => (address && typeof address === "object" ? resolve(address.port) : reject(new Error("no port"))));
    });
  });
}

export class Platform {
  readonly url: string;
  /** The one-time link that the start printed. */
  readonly link: string;
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #token: string;

  private constructor(url: string, link: string, child: ChildProcess, folder: string, token = TOKEN) {
    this.url = url;
    this.link = link;
    this.#child = child;
    this.#folder = folder;
    this.#token = token;
  }

  /** The same platform, asked with another token. */
  as(token: string): Platform {
    return new Platform(this.url, this.link, this.#child, this.#folder, token);
  }

  static async up(...more: string[]): Promise<Platform> {
    const folder = mkdtempSync(join(tmpdir(), "steward-e2e-"));
    const port = await freePort();
    const files = resolve(import.meta.dirname, "../dist");
    const parameters = ["up", "--data-dir", join(folder, "data"), "--port", String(port), "--console", files, ...more];
    const env = { ...process.env, STEWARD_ADMIN_TOKEN: TOKEN };
    const child = spawn(binary(), parameters, { env, stdio: ["ignore", "pipe", "inherit"] });
    const link = await new Promise<string>((resolve, reject) => {
      const said: string[] = [];
      const give = (why: string) => reject(new Error(`${why}:\n${said.join("\n")}`));
      const timer = setTimeout(() => give("the platform was not ready in time"), READY_WITHIN_MS);
      child.once("exit", () => give("the platform ended"));
      createInterface({ input: child.stdout }).on("line", (line) => {
        said.push(line);
        const [, found] = /ready: (http\S+)/.exec(line) ?? [];
        if (found === undefined) return;
        clearTimeout(timer);
        resolve(found);
      });
    });
    return new Platform(`http://127.0.0.1:${port}`, link, child, folder);
  }

  /** Asks the API; as the administrator, unless {@link as} says otherwise. */
  async ask(method: string, path: string, body?: Json): Promise<Record<string, Json>> {
    const headers = { authorization: `Bearer ${this.#token}`, "content-type": "application/json" };
    const answer = await fetch(`${this.url}/api/v1/${path}`, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
    const said = (await answer.json()) as Record<string, Json>;
    if (!answer.ok) throw new Error(`${method} ${path}: ${JSON.stringify(said)}`);
    return said;
  }

  /** A file as it is. */
  async text(path: string): Promise<string> {
    return (await this.#file("GET", path)).text();
  }

  /** Puts another text of a process in force, made from the one that is. */
  async publish(process: string, text: string): Promise<void> {
    const tag = (await this.#file("GET", `processes/${process}/versions/present`)).headers.get("etag") ?? "";
    await this.#file("PUT", `processes/${process}`, { "content-type": "application/yaml", "if-match": tag }, text);
  }

  async #file(method: string, path: string, more: Record<string, string> = {}, body?: string): Promise<Response> {
    const headers = { authorization: `Bearer ${this.#token}`, ...more };
    const answer = await fetch(`${this.url}/api/v1/${path}`, { method, headers, ...(body !== undefined && { body }) });
    if (!answer.ok) throw new Error(`${method} ${path}: ${await answer.text()}`);
    return answer;
  }

  async open(collection: string, data: Json): Promise<string> {
    return String((await this.ask("POST", collection, data)).number);
  }

  take(collection: string, number: string, transition: string, data: Json = {}): Promise<Record<string, Json>> {
    return this.ask("POST", `${collection}/${number}/transitions/${transition}`, data);
  }

  /** Asks until the answer is as wanted: what follows from events comes a moment later. */
  async settled(path: string, isSo: (answer: Record<string, Json>) => boolean): Promise<void> {
    const end = Date.now() + READY_WITHIN_MS;
    while (!isSo(await this.ask("GET", path))) {
      if (Date.now() > end) throw new Error(`${path} did not settle`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async down(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGTERM");
    await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
