/** What the page on the screen offers, for the palette. */

import { useEffect } from "react";

export type Offered = { name: string; label: string; run: () => void };

let current: Offered[] = [];

export const offered = (): Offered[] => current;

/** Offers these for as long as the page is on the screen. */
export function useOffered(offers: Offered[]): void {
  useEffect(() => {
    current = offers;
    return () => {
      current = [];
    };
  }, [offers]);
}
