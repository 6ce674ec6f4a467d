/** Lists that somebody saved: their own, and those that were shared with them. */

import { Button, Checkbox, Menu, Modal, Stack, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Bookmark, BookmarkPlus, Settings2, Users } from "lucide-react";
import { useState, type FormEvent } from "react";
import { ask } from "../api/client";
import type { Process } from "../api/model";
import { savedViews, searchOf, VIEWS } from "./views";
import { spoken } from "../fields/words";
import { useSay } from "../i18n/words";
import { api, place } from "../paths";
import type { ListSearch } from "../routes";
import { notice } from "../ui/Notice";
import { ProblemBox } from "../ui/ProblemBox";
import styles from "./ViewsMenu.module.css";

export function ViewsMenu({ process, search, onChoose }: { process: Process; search: ListSearch; onChoose: (search: ListSearch) => void }) {
  const say = useSay();
  const [isSaving, saving] = useDisclosure(false);
  const views = useQuery(savedViews(process.process));
  const items = views.data?.items ?? [];
  return (
    <>
      <Menu position="bottom-start">
        <Menu.Target>
          <Button className={styles.button} variant="default" size="sm" leftSection={<Bookmark size={15} aria-hidden />}>
            <span>{say("list.views")}</span>
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {items.length === 0 && <Menu.Label>{say("list.noViews")}</Menu.Label>}
          {items.map((view) => (
            <Menu.Item key={view.id} rightSection={Array.isArray(view.data.shared) ? <Users size={14} aria-hidden /> : null} onClick={() => onChoose(searchOf(view))}>
              {String(view.data.name)}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item leftSection={<Settings2 size={16} aria-hidden />} component={Link} to={place.list(VIEWS)}>
            {say("list.manageViews")}
          </Menu.Item>
          <Menu.Item leftSection={<BookmarkPlus size={16} aria-hidden />} onClick={saving.open}>
            {say("list.saveView")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal opened={isSaving} onClose={saving.close} title={say("list.saveView")} closeButtonProps={{ "aria-label": say("common.close") }}>
        <SaveView process={process} search={search} onDone={saving.close} />
      </Modal>
    </>
  );
}

function SaveView({ process, search, onDone }: { process: Process; search: ListSearch; onDone: () => void }) {
  const say = useSay();
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [shared, setShared] = useState<string[]>([]);
  const [error, setError] = useState<unknown>(null);
  const save = async (event: FormEvent) => {
    event.preventDefault();
    // `new` is a dialogue, and no part of a list.
    const query = JSON.stringify(search, (key, value: unknown) => (key === "new" ? undefined : value));
    const body = { name, of: process.process, query, ...(shared.length > 0 && { shared }) };
    try {
      await ask(api.collection(VIEWS), { method: "POST", body });
      await client.invalidateQueries({ queryKey: ["records", VIEWS] });
      notice(say("list.viewSaved"));
      onDone();
    } catch (caught) {
      setError(caught);
    }
  };
  return (
    <form onSubmit={(event) => void save(event)} noValidate>
      <Stack>
        <TextInput label={say("list.viewName")} required data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <Checkbox.Group label={say("list.viewShared")} value={shared} onChange={setShared}>
          <Stack gap={6} pt={4}>
            {process.roles.map((role) => (
              <Checkbox key={role} value={role} label={process.labels.roles[role] ?? spoken(role)} />
            ))}
          </Stack>
        </Checkbox.Group>
        <ProblemBox error={error} />
        <Button type="submit">{say("common.save")}</Button>
      </Stack>
    </form>
  );
}
