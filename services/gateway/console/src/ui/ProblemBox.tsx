/** What the API refused, in its own words, with every fault that belongs to no field on the screen. */

import { Alert } from "@mantine/core";
import { CircleAlert } from "lucide-react";
import { Problem } from "../api/client";
import { useSay } from "../i18n/words";

export function ProblemBox({ error, beside = [] }: { error: unknown; beside?: string[] }) {
  const say = useSay();
  if (!error) return null;
  const text = error instanceof Error ? error.message : String(error);
  const faults = error instanceof Problem ? error.faults : [];
  const others = faults.filter((fault) => !beside.includes(fieldOf(fault.path)) && fault.message !== text);
  return (
    <Alert color="red" variant="light" icon={<CircleAlert size={18} />} title={say("problem.title")} role="alert">
      {text}
      {others.length > 0 && (
        <ul>
          {others.map((fault) => (
            <li key={fault.path + fault.code}>{fault.message}</li>
          ))}
        </ul>
      )}
    </Alert>
  );
}

/** The field that a fault is about: `/priority` or `/data/priority/0`. */
export function fieldOf(path: string): string {
  const [first, second] = path.split("/").filter((part) => part !== "");
  return (first === "data" ? second : first) ?? "";
}
