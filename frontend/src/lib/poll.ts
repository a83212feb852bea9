// When to ask again.

export const LIVE_MS = 2500;
export const IDLE_MS = 10_000;

export interface PollFacts {
  training: boolean; // something trains or is about to: no run has been recorded yet
  unchanged: number; // polls in a row that brought nothing new
  failures: number; // polls in a row that failed
}

/** Milliseconds until the next poll: steady while something trains, doubling up to 10 s otherwise. */
export function nextDelay({ training, unchanged, failures }: PollFacts): number {
  const doublings = failures > 0 ? failures - 1 : training ? 0 : unchanged;
  return Math.min(IDLE_MS, LIVE_MS * 2 ** Math.min(doublings, 10));
}
