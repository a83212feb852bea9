// When to ask again.

export const LIVE_MS = 1500; // with a reload interval of 1 s, rows show within 3 s of being flushed
export const IDLE_MS = 10_000; // while requests fail
export const ASLEEP_MS = 30_000; // while nothing trains: only the run list is asked for

export interface PollFacts {
  training: boolean; // something trains or is about to: no run has been recorded yet
  unchanged: number; // polls in a row that brought nothing new
  failures: number; // polls in a row that failed
}

/** Milliseconds until the next poll: steady while something trains, doubling otherwise. */
export function nextDelay({ training, unchanged, failures }: PollFacts): number {
  const doublings = failures > 0 ? failures - 1 : training ? 0 : unchanged;
  return Math.min(failures > 0 ? IDLE_MS : ASLEEP_MS, LIVE_MS * 2 ** Math.min(doublings, 10));
}

/** Whether what is shown of a launch can still change: not once it has ended and two polls brought nothing new. */
export function isSettled({ training, unchanged, failures }: PollFacts): boolean {
  return !training && failures === 0 && unchanged >= 2;
}
