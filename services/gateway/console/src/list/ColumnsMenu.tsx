/** Which columns, and what rows are grouped by. */

import { Checkbox, Popover, ScrollArea, Select, Stack } from "@mantine/core";
import type { ReactElement } from "react";
import type { Process } from "../api/model";
import { labelOf, OWN } from "../fields/words";
import { useSay } from "../i18n/words";
import { indexed } from "./filter";
import type { Change } from "./ListPage";

type Props = { process: Process; columns: string[]; group: string | undefined; onChange: Change; children: ReactElement };

export function ColumnsMenu({ process, columns, group, onChange, children }: Props) {
  const say = useSay();
  const all = [...OWN, ...process.fields.map((field) => field.name)];
  const toggle = (name: string) => {
    const next = columns.includes(name) ? columns.filter((one) => one !== name) : [...columns, name];
    onChange({ columns: next.length === 0 ? undefined : next.join(",") });
  };
  const groups = [...indexed(process)].filter(([, kind]) => kind !== "time").map(([name]) => name);
  return (
    <Popover position="bottom-end" trapFocus>
      <Popover.Target>{children}</Popover.Target>
      <Popover.Dropdown>
        <Stack gap="sm">
          <Select
            comboboxProps={{ withinPortal: false }}
            label={say("list.group")}
            placeholder={say("list.noGroup")}
            clearable
            data={groups.filter((name) => name !== "number").map((name) => ({ value: name, label: labelOf(name, process, say) }))}
            value={group ?? null}
            onChange={(name) => onChange({ group: name ?? undefined, sort: name ?? undefined })}
          />
          <ScrollArea.Autosize mah="50vh" type="auto">
            <Checkbox.Group label={say("list.columns")} value={columns}>
              <Stack gap={6} pt={6} pr="sm">
                {all.map((name) => (
                  <Checkbox key={name} value={name} label={labelOf(name, process, say)} onChange={() => toggle(name)} />
                ))}
              </Stack>
            </Checkbox.Group>
          </ScrollArea.Autosize>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
