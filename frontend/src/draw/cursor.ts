// The one cursor: heat map and curves tell each other the step under the pointer.
type Listener = (step: number | null, source: unknown) => void;

const listeners = new Set<Listener>();

export function onCursor(listener: Listener): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

export function moveCursor(step: number | null, source: unknown): void {
  for (const listener of listeners) listener(step, source);
}
