/** One field of one record, changed from the list by who saw how it stood. */

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ask, Problem } from "../api/client";
import { refresh } from "../api/live";
import type { Json, Process, RecordView } from "../api/model";
import { isSame } from "../fields/same";
import { useSay } from "../i18n/words";
import { api } from "../paths";
import { notice } from "../ui/Notice";

/**
 * Saves the field. Who changed another one meanwhile is in nobody's way; where it is the same, this fails with a
 * sentence once, `seen` is the record as they left it, and whoever saves again knows what they replace.
 */
export function useAmend(process: Process, began: RecordView, field: string) {
  const say = useSay();
  const client = useQueryClient();
  const [seen, setSeen] = useState(began);
  const path = api.record(process.collection, began.number);
  const save = async (value: Json | undefined): Promise<void> => {
    let known = seen;
    for (;;) {
      try {
        const next = await ask<RecordView>(path, { method: "PATCH", body: { [field]: value ?? null }, rev: known.rev });
        refresh(client, next);
        notice(say("record.saved"));
        return;
      } catch (error) {
        if (!(error instanceof Problem) || error.status !== 412) throw error;
        const before = known.data[field];
        known = await ask<RecordView>(path);
        if (isSame(before, known.data[field])) continue;
        setSeen(known);
        throw new Problem({ status: 412, code: "stale", detail: say("list.overtaken", { number: began.number }), errors: [] });
      }
    }
  };
  return { save, seen };
}
