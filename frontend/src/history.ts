// Entries of the browser's history: one for each action of the user.
import { writeAddress } from "./host";
import type { Selection } from "./lib/selection";

/** What changes the selection many times within one action: turning the wheel, holding a key, typing. */
export type Gesture = "wheel" | "keys" | "typing";

const SAME_ACTION_MS = 1500; // changes by one gesture that follow each other faster
const REST_MS = 150; // browsers limit how often an address is written

let last = { gesture: null as Gesture | null, what: "", time: 0 };
let pending: { selection: Selection; newEntry: boolean } | null = null; // is written when the gesture rests
let timer = 0;

function writePending(): void {
  window.clearTimeout(timer);
  if (pending) writeAddress(pending.selection, pending.newEntry);
  pending = null;
}

/** Forgets the action under way. */
export function endAction(): void {
  window.clearTimeout(timer);
  pending = null;
  last = { ...last, gesture: null };
}

/** Records a selection in the address. Changes of the same keys by one gesture are one entry of the history. */
export function recordSelection(
  selection: Selection,
  changed: readonly (keyof Selection)[],
  gesture: Gesture | null,
): void {
  const [what, time] = [changed.join(), performance.now()];
  const isSame = gesture !== null && gesture === last.gesture && what === last.what;
  const continues = isSame && time - last.time < SAME_ACTION_MS;
  last = { gesture, what, time };
  if (!continues) writePending();
  pending = { selection, newEntry: pending ? pending.newEntry : !continues };
  window.clearTimeout(timer);
  if (gesture === null) writePending();
  else timer = window.setTimeout(writePending, REST_MS);
}
