/** Something that may be done to a record; what may not says why, and is never hidden. */

import { Button, Tooltip } from "@mantine/core";
import type { Offer } from "../api/model";

type Props = { offer: Offer; variant: "filled" | "default"; onTake: () => void };

export function OfferButton({ offer, variant, onTake }: Props) {
  const refusal = offer.refused_because;
  return (
    <Tooltip label={refusal} disabled={refusal === null}>
      <Button
        size="sm"
        variant={variant}
        // It stays in the order of the keyboard, so that its reason is heard, too.
        data-disabled={refusal !== null || undefined}
        aria-disabled={refusal !== null}
        aria-description={refusal ?? undefined}
        onClick={() => refusal === null && onTake()}
      >
        {offer.label}
      </Button>
    </Tooltip>
  );
}
