/** Small things that this browser remembers of its reader. */

import { useLocalStorage } from "@mantine/hooks";

/** The collections at the top of the menu. */
export function usePinned(): [string[], (collection: string) => void] {
  const [pinned, setPinned] = useLocalStorage<string[]>({ key: "steward.pinned", defaultValue: ["incidents"] });
  const toggle = (collection: string) =>
    setPinned(pinned.includes(collection) ? pinned.filter((one) => one !== collection) : [...pinned, collection]);
  return [pinned, toggle];
}
