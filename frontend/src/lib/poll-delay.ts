// When to poll the backend again.

export const LIVE_MS = 1500; // with a reload interval of 1 s, rows appear within 3 s of being flushed
export const IDLE_MS = 10_000; // at most, while requests fail
export const ASLEEP_MS = 30_000; // at most, while nothing trains: only the list of runs is polled

export interface PollCounts {
  unchanged: number; // polls in a row that brought nothing new
  failures: number; // polls in a row that failed
}

interface PollFacts extends PollCounts {
  training: boolean; // something trains, or is about to: no run has been recorded yet
}

/** Milliseconds until the next poll: constant while something trains, doubling otherwise. */
export function nextDelay({ training, unchanged, failures }: PollFacts): number {
  const doublings = failures > 0 ? failures - 1 : training ? 0 : unchanged;
  return Math.min(failures > 0 ? IDLE_MS : ASLEEP_MS, LIVE_MS * 2 ** Math.min(doublings, 10));
}

/** Whether the shown launch can no longer change: nothing trains, and two polls brought nothing new. */
export function isSettled({ training, unchanged, failures }: PollFacts): boolean {
  return !training && failures === 0 && unchanged >= 2;
}
