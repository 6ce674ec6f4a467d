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
  const [first = ""] = steps(path);
  return first;
}

/** Where within its field a fault is: `/0` of `/data/priority/0`, and nothing where it is about the whole. */
export function within(path: string): string {
  return steps(path).slice(1).map((step) => `/${step}`).join("");
}

function steps(path: string): string[] {
  const steps = path.split("/").filter((step) => step !== "");
  return steps[0] === "data" && steps.length > 1 ? steps.slice(1) : steps;
}
