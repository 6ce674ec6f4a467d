/** Keys without modifiers, for who does not reach for the mouse. */

import { useEffect } from "react";

export type Keys = Record<string, (event: KeyboardEvent) => void>;

/** Whether somebody is writing, or a dialogue is open: then keys are theirs. */
function isTaken(event: KeyboardEvent): boolean {
  const target = event.target;
  const writes =
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.closest('[role="listbox"], [role="menu"]') !== null);
  return writes || document.querySelector('[role="dialog"]') !== null;
}

/** Acts on keys for as long as the caller is on the screen. */
export function useKeys(keys: Keys): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTaken(event)) return;
      const act = keys[event.key];
      if (!act) return;
      event.preventDefault();
      act(event);
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [keys]);
}
