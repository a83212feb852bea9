// Entries of the browser's history: one for each action of the user.
import { writeAddress } from "./host";
import type { Selection } from "./lib/selection";

/** What changes the selection many times within one action: turning the wheel, holding a key, typing. */
export type Gesture = "wheel" | "keys" | "typing";

const SAME_ACTION_MS = 1500; // changes by one gesture that follow each other faster
const REST_MS = 150; // browsers limit how often an address is written

// `hasEntry`: whether the action has an entry of its own, into which its further changes are written.
let last = { gesture: null as Gesture | null, what: "", time: 0, hasEntry: false };
let pending: { selection: Selection; newEntry: boolean } | null = null; // is written when the gesture rests
let timer = 0;

function writePending(): void {
  window.clearTimeout(timer);
  if (pending) {
    const written = writeAddress(pending.selection, pending.newEntry);
    last.hasEntry ||= written && pending.newEntry;
  }
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
  if (!continues) writePending();
  last = { gesture, what, time, hasEntry: continues && last.hasEntry };
  pending = { selection, newEntry: !last.hasEntry };
  window.clearTimeout(timer);
  if (gesture === null) writePending();
  else timer = window.setTimeout(writePending, REST_MS);
}
