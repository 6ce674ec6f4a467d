/** The desk for who works here, the portal for who is served. */

import { useLive } from "../api/live";
import { useIsRequester } from "../portal/requester";
import { PortalShell } from "../portal/PortalShell";
import { Shell } from "./Shell";

export function Frame() {
  useLive();
  return useIsRequester() ? <PortalShell /> : <Shell />;
}
