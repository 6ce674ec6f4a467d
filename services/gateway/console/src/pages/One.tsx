/** One record: as it is worked on, or as it is followed. */

import { Loader } from "@mantine/core";
import { lazy, Suspense } from "react";
import { useSay } from "../i18n/words";
import { useIsRequester } from "../portal/requester";

const RecordPage = lazy(() => import("../record/RecordPage").then(({ RecordPage }) => ({ default: RecordPage })));
const FollowPage = lazy(() => import("../portal/FollowPage").then(({ FollowPage }) => ({ default: FollowPage })));

export function One() {
  const say = useSay();
  const isRequester = useIsRequester();
  return <Suspense fallback={<Loader aria-label={say("common.loading")} />}>{isRequester ? <FollowPage /> : <RecordPage />}</Suspense>;
}
