/** What stands around the portal: where one is, and oneself. */

import { Menu } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Link, Outlet } from "@tanstack/react-router";
import { CircleUserRound } from "lucide-react";
import { useIsLive } from "../api/live";
import icon from "../icon.svg";
import { useSay } from "../i18n/words";
import { place } from "../paths";
import { useWho } from "../session/session";
import { AccountMenu } from "../shell/AccountMenu";
import { HelpDialog } from "../shell/HelpDialog";
import styles from "./Portal.module.css";

export function PortalShell() {
  const say = useSay();
  const who = useWho();
  const isLive = useIsLive();
  const [isHelpOpen, help] = useDisclosure(false);
  return (
    <div className={styles.shell} data-live={isLive}>
      <a className={styles.skip} href="#page">
        {say("app.skip")}
      </a>
      <header className={styles.top}>
        <nav aria-label={say("nav.main")}>
          <Link to={place.overview} className={styles.brand}>
            <img src={icon} alt="" width={26} height={26} />
            {say("app.name")}
          </Link>
        </nav>
        <Menu position="bottom-end">
          <Menu.Target>
            <button type="button" className={styles.account} aria-label={`${say("nav.account")}: ${who.name}`}>
              <CircleUserRound size={20} aria-hidden />
              <span>{who.name}</span>
            </button>
          </Menu.Target>
          <AccountMenu onHelp={help.open} />
        </Menu>
      </header>
      <main id="page" className={styles.page} tabIndex={-1}>
        <Outlet />
      </main>
      <HelpDialog isOpen={isHelpOpen} onClose={help.close} />
    </div>
  );
}
