/** Which records, by one touch: the open ones, those of whoever looks, all. */

import { SegmentedControl } from "@mantine/core";
import type { Process } from "../api/model";
import { useSay } from "../i18n/words";
import { useWho } from "../session/session";

const OPEN = "record.closed_at == null";

export function QuickFilters({ process, filter, onChange }: { process: Process; filter: string | undefined; onChange: (filter: string | undefined) => void }) {
  const say = useSay();
  const who = useWho();
  // A field that names a person and that lists go by: that is whose record it is.
  const owner = process.fields.find((field) => field.reference === "person" && field.index !== null);
  const mine = owner && who.id.startsWith("person:") ? `record.${owner.name} == '${who.id}' && ${OPEN}` : null;
  const data = [
    { value: "", label: say("list.all") },
    { value: OPEN, label: say("list.open") },
    ...(mine ? [{ value: mine, label: say("list.mine") }] : []),
  ];
  return (
    <SegmentedControl
      size="sm"
      aria-label={say("list.quick")}
      data={data}
      value={data.some(({ value }) => value === (filter ?? "")) ? (filter ?? "") : "other"}
      onChange={(value) => onChange(value === "" ? undefined : value)}
    />
  );
}
