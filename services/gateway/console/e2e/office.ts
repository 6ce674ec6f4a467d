/** What the tests of a file share: a platform of their own, an organisation at work on it, and a browser. */

import { afterAll, beforeAll } from "vitest";
import { Desk } from "./browser";
import { incidents, people, type People } from "./organisation";
import { Platform } from "./platform";

export type Office = { platform: Platform; desk: Desk; who: People; numbers: string[] };

/** Makes it before the tests, and closes it after them; `prepare` runs between people and their incidents. */
export function office(prepare: (platform: Platform, who: People) => Promise<void> = async () => undefined): Office {
  const made = {} as Office;
  let closing: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    made.platform = await Platform.up();
    closing = [() => made.platform.down()];
    made.who = await people(made.platform);
    await prepare(made.platform, made.who);
    made.numbers = await incidents(made.platform, made.who);
    made.desk = await Desk.of(made.platform);
    closing.unshift(() => made.desk.close());
  });
  afterAll(async () => {
    // What the browser complains of fails the tests, and the platform ends all the same.
    const ended = await Promise.allSettled(closing.map((close) => close()));
    for (const end of ended) if (end.status === "rejected") throw end.reason;
  });
  return made;
}
