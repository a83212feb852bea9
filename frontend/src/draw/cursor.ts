// The step under the pointer. Heat maps and curves tell it to each other, and all read it from here, the one that the
// pointer is on, too: so they name the same step. It changes with every pointer move, so it is no part of the state.
type Listener = (step: number | null) => void;

const listeners = new Set<Listener>();

/** Calls `listener` for every move until the returned function is called. */
export function onCursor(listener: Listener): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

/** `step`: a whole number; null if the pointer has left. */
export function moveCursor(step: number | null): void {
  for (const listener of listeners) listener(step);
}
