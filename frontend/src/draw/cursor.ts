// The step under the pointer, which heat map and curves tell each other. It changes with every pointer move, so it is
// no part of the state: no view is drawn again for it.
type Source = "heatmap" | "curve";
type Listener = (step: number | null, source: Source) => void;

const listeners = new Set<Listener>();

/** Calls `listener` for every move until the returned function is called. */
export function onCursor(listener: Listener): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

/** `step`: null if the pointer has left. */
export function moveCursor(step: number | null, source: Source): void {
  for (const listener of listeners) listener(step, source);
}
