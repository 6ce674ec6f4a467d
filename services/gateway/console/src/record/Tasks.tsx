/** What is to be done beside the states, in its order. */

import { ActionIcon, Button, Checkbox, Menu, Modal } from "@mantine/core";
import { EllipsisVertical, ListPlus } from "lucide-react";
import { useState } from "react";
import type { Data, Process, RecordView, Task } from "../api/model";
import { asking, schemaOf, type Asked } from "../fields/asked";
import { CommandForm } from "../fields/CommandForm";
import { Reference } from "../fields/Value";
import { useSay } from "../i18n/words";
import { failure } from "../ui/Notice";
import card from "./Card.module.css";
import styles from "./Work.module.css";

type Props = {
  process: Process;
  record: RecordView;
  onAdd: (body: Data) => Promise<void>;
  onChange: (task: number, body: Data) => Promise<void>;
};

export function Tasks({ process, record, onAdd, onChange }: Props) {
  const say = useSay();
  const [isAdding, setAdding] = useState(false);
  const [handing, setHanding] = useState<Task | null>(null);
  const tasks = (record.data.tasks ?? []) as Task[];
  if (!process.tasks || (tasks.length === 0 && record.closed_at !== null)) return null;
  const title: Asked = { name: "title", label: say("task.title"), schema: { type: "string", maxLength: 200 } };
  const assignee: Asked = { name: "assignee", label: say("task.assignee"), schema: { type: "string" }, reference: "person" };
  const change = (task: Task, body: Data) => onChange(task.id, body).catch(failure);
  const done = tasks.filter((task) => task.done).length;
  return (
    <section className={`${card.card} ${styles.work}`} aria-label={say("record.tasks")}>
      <header>
        <h2>{say("record.tasks")}</h2>
        {tasks.length > 0 && <span className={styles.count}>{say("task.count", { done, count: tasks.length })}</span>}
        <Button size="compact-sm" variant="subtle" leftSection={<ListPlus size={14} aria-hidden />} onClick={() => setAdding(true)}>
          {say("task.add")}
        </Button>
      </header>
      {tasks.length === 0 && <p className={card.none}>{say("task.none")}</p>}
      <ul className={card.list}>
        {tasks.map((task) => {
          const before = (task.after ?? []).filter((id) => tasks.some((other) => other.id === id && !other.done));
          return (
            <li key={task.id} className={styles.task} data-state={task.state}>
              <Checkbox size="sm" label={task.title} checked={task.done} disabled={task.state !== "open"} onChange={() => void change(task, { state: "done" })} />
              <span className={styles.about}>
                {task.assignee !== undefined && <Reference value={task.assignee} />}
                {before.length > 0 && <small>{say("task.after", { tasks: before.map((id) => tasks.find((other) => other.id === id)?.title ?? id).join(", ") })}</small>}
                {task.state === "dropped" && <small>{say("task.dropped")}</small>}
              </span>
              {task.state === "open" && (
                <Menu position="bottom-end">
                  <Menu.Target>
                    <ActionIcon variant="subtle" color="gray" size="sm" aria-label={say("task.more", { title: task.title })}>
                      <EllipsisVertical size={15} aria-hidden />
                    </ActionIcon>
                  </Menu.Target>
                  <Menu.Dropdown>
                    <Menu.Item onClick={() => setHanding(task)}>{say("task.assign")}</Menu.Item>
                    <Menu.Item onClick={() => void change(task, { state: "dropped" })}>{say("task.drop")}</Menu.Item>
                  </Menu.Dropdown>
                </Menu>
              )}
            </li>
          );
        })}
      </ul>
      <Modal opened={isAdding} onClose={() => setAdding(false)} title={say("task.add")} closeButtonProps={{ "aria-label": say("common.close") }}>
        <CommandForm process={asking(process, [title, assignee])} schema={schemaOf([title, assignee], ["title"])} submit={say("task.add")} onSubmit={(data) => onAdd(data).then(() => setAdding(false))} onCancel={() => setAdding(false)} />
      </Modal>
      <Modal opened={handing !== null} onClose={() => setHanding(null)} title={handing?.title} closeButtonProps={{ "aria-label": say("common.close") }}>
        {handing && (
          <CommandForm process={asking(process, [assignee])} schema={schemaOf([assignee], ["assignee"])} submit={say("task.assign")} onSubmit={(data) => onChange(handing.id, data).then(() => setHanding(null))} onCancel={() => setHanding(null)} />
        )}
      </Modal>
    </section>
  );
}
