/** Where one begins: the overview of the desk, or the portal. */

import { Loader } from "@mantine/core";
import { lazy, Suspense } from "react";
import { useSay } from "../i18n/words";
import { useIsRequester } from "../portal/requester";

const OverviewPage = lazy(() => import("../overview/OverviewPage").then(({ OverviewPage }) => ({ default: OverviewPage })));
const PortalHome = lazy(() => import("../portal/PortalHome").then(({ PortalHome }) => ({ default: PortalHome })));

export function Home() {
  const say = useSay();
  const isRequester = useIsRequester();
  return <Suspense fallback={<Loader aria-label={say("common.loading")} />}>{isRequester ? <PortalHome /> : <OverviewPage />}</Suspense>;
}
