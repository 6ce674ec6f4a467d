/** What everybody sets for themselves, and the way out. */

import { Menu, useMantineColorScheme, type MantineColorScheme } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { BookOpen, Check, Keyboard, LogOut, UserRoundCog } from "lucide-react";
import { useEffect, useState } from "react";
import { languages, load, useLanguage } from "../i18n/words";
import { place } from "../paths";
import { useSignOut } from "../session/session";

const SCHEMES: MantineColorScheme[] = ["light", "dark", "auto"];

export function AccountMenu({ onHelp }: { onHelp: () => void }) {
  const { code, say, choose } = useLanguage();
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const signOut = useSignOut();
  const names = useLanguageNames();
  const chosen = (isChosen: boolean) => ({ rightSection: isChosen ? <Check size={14} aria-hidden /> : null });
  return (
    <Menu.Dropdown>
      <Menu.Item leftSection={<UserRoundCog size={16} />} component={Link} to={place.account}>
        {say("account.title")}
      </Menu.Item>
      <Menu.Label>{say("account.theme")}</Menu.Label>
      {SCHEMES.map((scheme) => (
        <Menu.Item key={scheme} {...chosen(colorScheme === scheme)} onClick={() => setColorScheme(scheme)}>
          {say(`account.${scheme}`)}
        </Menu.Item>
      ))}
      <Menu.Label>{say("account.language")}</Menu.Label>
      {languages.map((language) => (
        <Menu.Item key={language} lang={language} {...chosen(code === language)} onClick={() => choose(language)}>
          {names[language] ?? language}
        </Menu.Item>
      ))}
      <Menu.Divider />
      <Menu.Item leftSection={<Keyboard size={16} />} onClick={onHelp}>
        {say("account.keys")}
      </Menu.Item>
      <Menu.Item leftSection={<BookOpen size={16} />} component="a" href="/api/v1/docs/">
        {say("nav.api")}
      </Menu.Item>
      <Menu.Item leftSection={<LogOut size={16} />} onClick={() => void signOut()}>
        {say("account.signOut")}
      </Menu.Item>
    </Menu.Dropdown>
  );
}

/** What each language calls itself. */
function useLanguageNames(): Record<string, string> {
  const [names, setNames] = useState<Record<string, string>>({});
  useEffect(() => {
    void Promise.all(languages.map(async (code) => [code, (await load(code)).language])).then((pairs) =>
      setNames(Object.fromEntries(pairs)),
    );
  }, []);
  return names;
}
