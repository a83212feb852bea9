// The slot of the step under the pointer, wherever the pointer is.
import { useEffect, useState } from "preact/hooks";
import { onCursor } from "../draw/cursor";
import { type Buckets, type Slot, sameSlot, slotAt } from "../lib/slots";

/** null while the pointer is nowhere. */
export function useCursorSlot(buckets: Buckets): Slot | null {
  const [step, setStep] = useState<number | null>(null);
  const { covered, first, last, recorded } = buckets;
  useEffect(() => {
    let shown: Slot | null = null;
    return onCursor((now) => {
      const slot = now === null ? null : slotAt(now, { covered, first, last, recorded });
      if (!sameSlot(slot, shown)) setStep(now);
      shown = slot;
    });
  }, [covered, first, last, recorded]);
  return step === null ? null : slotAt(step, buckets);
}
