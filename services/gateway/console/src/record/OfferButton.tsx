/** Something that may be done to a record, or may not, and why. */

import type { Offer } from "../api/model";
import { GuardedButton } from "../ui/GuardedButton";

type Props = { offer: Offer; variant: "filled" | "default"; onTake: () => void };

export function OfferButton({ offer, variant, onTake }: Props) {
  return (
    <GuardedButton size="sm" variant={variant} refusal={offer.refused_because} onPress={onTake}>
      {offer.label}
    </GuardedButton>
  );
}
