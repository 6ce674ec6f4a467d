/** What stands around every page: the menu, the palette, and the live connection. */

import { ActionIcon, Drawer, Kbd, Menu } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { CalendarDays, CircleUserRound, Command, LayoutDashboard, ListTodo, Menu as MenuIcon, Pin, PinOff, WifiOff, Workflow } from "lucide-react";
import { useCallback, useEffect, useMemo, useState } from "react";
import { useIsLive } from "../api/live";
import { processes } from "../api/queries";
import { spoken } from "../fields/words";
import icon from "../icon.svg";
import { useSay } from "../i18n/words";
import { place } from "../paths";
import { useWho } from "../session/session";
import { AccountMenu } from "./AccountMenu";
import { HelpDialog } from "./HelpDialog";
import { useKeys } from "./keys";
import { Palette } from "./Palette";
import { usePinned } from "./remembered";
import styles from "./Shell.module.css";

/** A connection that breaks for a moment is nobody's concern. */
const OFFLINE_AFTER_MS = 4000;

export function Shell() {
  const say = useSay();
  const [isMenuOpen, { open: openMenu, close: closeMenu }] = useDisclosure(false);
  const [isPaletteOpen, { open: openPalette, close: closePalette, toggle: togglePalette }] = useDisclosure(false);
  const [isHelpOpen, { open: openHelp, close: closeHelp }] = useDisclosure(false);
  const isLive = useIsLive();
  const { pathname } = useLocation();
  useEffect(() => closeMenu(), [pathname, closeMenu]);
  // A list searches itself; elsewhere the palette does.
  const search = useCallback(() => document.querySelector('input[type="search"]') === null && openPalette(), [openPalette]);
  useKeys(useMemo(() => ({ "?": openHelp, "/": search }), [openHelp, search]));
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        togglePalette();
      }
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [togglePalette]);

  return (
    <div className={styles.shell} data-live={isLive}>
      <a className={styles.skip} href="#page">
        {say("app.skip")}
      </a>
      <header className={styles.top}>
        <ActionIcon variant="subtle" color="gray" aria-label={say("nav.menu")} onClick={openMenu}>
          <MenuIcon size={20} aria-hidden />
        </ActionIcon>
        <Brand />
        <ActionIcon variant="subtle" color="gray" aria-label={say("palette.title")} onClick={openPalette}>
          <Command size={18} aria-hidden />
        </ActionIcon>
      </header>
      <aside className={styles.side}>
        <Side onPalette={openPalette} onHelp={openHelp} />
      </aside>
      <Drawer opened={isMenuOpen} onClose={closeMenu} title={say("nav.menu")} size="17rem" lockScroll={false}>
        <Side onPalette={openPalette} onHelp={openHelp} />
      </Drawer>
      <main id="page" className={styles.page} tabIndex={-1}>
        <Offline />
        <Outlet />
      </main>
      <Palette isOpen={isPaletteOpen} onClose={closePalette} onHelp={openHelp} />
      <HelpDialog isOpen={isHelpOpen} onClose={closeHelp} />
    </div>
  );
}

function Brand() {
  const say = useSay();
  return (
    <Link to={place.overview} className={styles.brand}>
      <img src={icon} alt="" width={26} height={26} />
      {say("app.name")}
    </Link>
  );
}

function Side({ onPalette, onHelp }: { onPalette: () => void; onHelp: () => void }) {
  const say = useSay();
  const who = useWho();
  const known = useQuery(processes);
  const [pinned] = usePinned();
  const all = known.data ?? [];
  const above = pinned.flatMap((collection) => all.find((process) => process.collection === collection) ?? []);
  const below = all.filter((process) => !pinned.includes(process.collection));
  const services = [...new Set(below.map((process) => process.service ?? ""))].toSorted();
  return (
    <nav className={styles.nav} aria-label={say("nav.main")}>
      <Brand />
      <button type="button" className={styles.search} onClick={onPalette}>
        <span>{say("nav.search")}</span>
        <Kbd size="xs">Ctrl K</Kbd>
      </button>
      <div className={styles.scroll}>
        <div className={styles.pages}>
          <Link to={place.overview} className={styles.item} activeOptions={{ exact: true }}>
            <LayoutDashboard size={16} aria-hidden />
            {say("nav.overview")}
          </Link>
          <Link to={place.calendar} className={styles.item}>
            <CalendarDays size={16} aria-hidden />
            {say("nav.calendar")}
          </Link>
          <Link to={place.duties} className={styles.item}>
            <ListTodo size={16} aria-hidden />
            {say("nav.duties")}
          </Link>
          <Link to={place.processes} className={styles.item}>
            <Workflow size={16} aria-hidden />
            {say("nav.processes")}
          </Link>
        </div>
        {above.length > 0 && <Processes title={say("nav.pinned")} items={above} isPinned />}
        {services.map((service) => (
          <Processes key={service} title={spoken(service)} items={below.filter((process) => process.service === service)} isPinned={false} />
        ))}
      </div>
      <Menu position="top-start" width="target">
        <Menu.Target>
          <button type="button" className={styles.account} aria-label={`${say("nav.account")}: ${who.name}`}>
            <CircleUserRound size={20} aria-hidden />
            <span>{who.name}</span>
          </button>
        </Menu.Target>
        <AccountMenu onHelp={onHelp} />
      </Menu>
    </nav>
  );
}

type Item = { collection: string; title: string };

function Processes({ title, items, isPinned }: { title: string; items: Item[]; isPinned: boolean }) {
  const say = useSay();
  const [, toggle] = usePinned();
  return (
    <section>
      <h2 className={styles.heading}>{title}</h2>
      <ul className={styles.items}>
        {items.map(({ collection, title: name }) => (
          <li key={collection}>
            <Link to={place.list(collection)} className={styles.item}>
              {name}
            </Link>
            <button
              type="button"
              className={styles.pin}
              aria-label={say(isPinned ? "nav.unpin" : "nav.pin", { name })}
              onClick={() => toggle(collection)}
            >
              {isPinned ? <PinOff size={14} aria-hidden /> : <Pin size={14} aria-hidden />}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Offline() {
  const say = useSay();
  const isLive = useIsLive();
  const [isShown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(!isLive), isLive ? 0 : OFFLINE_AFTER_MS);
    return () => clearTimeout(timer);
  }, [isLive]);
  if (!isShown || isLive) return null;
  return (
    <p className={styles.offline} role="status">
      <WifiOff size={16} aria-hidden />
      {say("app.offline")}
    </p>
  );
}
