/** A button that says why it does nothing, and is never hidden for it. */

import { Button, Tooltip, type ButtonProps } from "@mantine/core";
import type { ReactNode } from "react";

type Props = ButtonProps & {
  /** Why not; null where nothing stands against it. */
  refusal: string | null;
  onPress?: () => void;
  type?: "button" | "submit";
  children: ReactNode;
};

export function GuardedButton({ refusal, onPress, type = "button", children, ...look }: Props) {
  if (refusal === null) {
    return (
      <Button {...look} type={type} onClick={onPress}>
        {children}
      </Button>
    );
  }
  return (
    <Tooltip label={refusal}>
      {/* It stays in the order of the keyboard, so that its reason is heard, too. */}
      <Button {...look} type="button" data-disabled aria-disabled aria-description={refusal}>
        {children}
      </Button>
    </Tooltip>
  );
}
