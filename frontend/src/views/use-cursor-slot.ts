// The slot of the step under the pointer, wherever the pointer is.
import { useEffect, useReducer, useRef } from "preact/hooks";
import { onCursor } from "../draw/cursor";
import { type Buckets, type Slot, sameSlot, slotAt } from "../lib/slots";

const slotOf = (step: number | null, buckets: Buckets) => (step === null ? null : slotAt(step, buckets));

/** null while the pointer is nowhere. Drawn again only when the pointer comes to another slot of these buckets. */
export function useCursorSlot(buckets: Buckets): Slot | null {
  const [, redraw] = useReducer((count: number, _: undefined) => count + 1, 0);
  const step = useRef<number | null>(null); // of the last move, because a new answer may divide a slot
  const drawn = useRef(buckets);
  drawn.current = buckets;
  useEffect(
    () =>
      onCursor((now) => {
        const before = slotOf(step.current, drawn.current);
        step.current = now;
        if (!sameSlot(slotOf(now, drawn.current), before)) redraw(undefined);
      }),
    [],
  );
  return slotOf(step.current, buckets);
}
