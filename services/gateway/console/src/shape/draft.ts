/** What somebody has written and not published yet; this browser keeps it until then. */

import { useLocalStorage } from "@mantine/hooks";

export type Draft = {
  text: string;
  /** The version that it was made from. */
  tag: string;
  base: number;
};

export function useDraft(process: string): [Draft | null, (draft: Draft | null) => void] {
  const [draft, set] = useLocalStorage<Draft | null>({ key: `steward.draft.${process}`, defaultValue: null, getInitialValueInEffect: false });
  return [draft, set];
}
