/** Whether two values say the same. */

import type { Json } from "../api/model";

/** Nothing is null or not there; the order of a map's names says nothing, that of a list does. */
export function isSame(one: Json | undefined, other: Json | undefined): boolean {
  return spelled(one) === spelled(other);
}

function spelled(value: Json | undefined): string {
  return JSON.stringify(value ?? null, (_, part: Json) =>
    part !== null && typeof part === "object" && !Array.isArray(part) ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1))) : part,
  );
}
