/** All keys at a glance. */

import { Kbd, Modal } from "@mantine/core";
import { useSay, type Key } from "../i18n/words";
import styles from "./HelpDialog.module.css";

const KEYS: [string[], Key][] = [
  [["Ctrl", "K"], "keys.palette"],
  [["/"], "keys.search"],
  [["j"], "keys.next"],
  [["k"], "keys.previous"],
  [["Enter"], "keys.open"],
  [["x"], "keys.select"],
  [["c"], "keys.create"],
  [["e"], "keys.edit"],
  [["←", "→"], "keys.cells"],
  [["F2"], "keys.cell"],
  [["Esc"], "keys.giveUp"],
  [["a"], "keys.assign"],
  [["?"], "keys.help"],
];

export function HelpDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const say = useSay();
  return (
    <Modal opened={isOpen} onClose={onClose} title={say("keys.title")} closeButtonProps={{ "aria-label": say("common.close") }}>
      <dl className={styles.keys}>
        {KEYS.map(([keys, what]) => (
          <div key={what}>
            <dt>
              {keys.map((key) => (
                <Kbd key={key}>{key}</Kbd>
              ))}
            </dt>
            <dd>{say(what)}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
