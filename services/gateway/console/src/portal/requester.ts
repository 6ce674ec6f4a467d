/** Who works here, and who is served. */

import type { Who } from "../api/model";
import { useWho } from "../session/session";

/** The role that definitions give to those who ask for something. */
export const REQUESTER = "requester";

/** A person without any role of those who work here gets the portal instead of the desk. */
export function isRequester({ id, roles }: Who): boolean {
  return id.startsWith("person:") && roles.every((role) => role === REQUESTER);
}

export const useIsRequester = (): boolean => isRequester(useWho());
