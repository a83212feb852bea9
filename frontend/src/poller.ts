// Decides when to load: now, after a delay, and again by polling.
import { RequestError } from "./backend";
import { isVisible } from "./host";
import { isTraining } from "./lib/defaults";
import { nextDelay, type PollCounts } from "./lib/poll-delay";
import { getState, setState } from "./state";

/** Loads something into the state, unless the signal is aborted. */
export type Load = (signal: AbortSignal, counts: PollCounts) => Promise<void>;

export class Poller {
  #poll: Load;
  #counts: PollCounts = { unchanged: 0, failures: 0 };
  #abort = new AbortController();
  #pollTimer = 0;
  #delayTimer = 0;

  constructor(poll: Load) {
    this.#poll = poll;
  }

  /** Loads everything now, even if polls brought nothing new for a while. */
  refresh(): void {
    this.#counts = { ...this.#counts, unchanged: 0 };
    void this.run(this.#poll);
  }

  /** Loads after a delay, unless another delayed load or `run` comes first. */
  runLater(milliseconds: number, load: () => Load): void {
    window.clearTimeout(this.#delayTimer);
    this.#delayTimer = window.setTimeout(() => void this.run(load()), milliseconds);
  }

  /** Loads now and then plans the next poll. A load that is under way is aborted. */
  async run(load: Load): Promise<void> {
    this.#abort.abort();
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    window.clearTimeout(this.#pollTimer);
    const before = getState();
    try {
      await load(signal, this.#counts);
      if (signal.aborted) return;
      setState({ pollError: "", busy: false });
      const after = getState();
      const changed = after.runs !== before.runs || after.overview !== before.overview;
      this.#counts = { failures: 0, unchanged: changed ? 0 : this.#counts.unchanged + 1 };
    } catch (error) {
      if (signal.aborted) return;
      setState({
        pollError: error instanceof RequestError ? error.message : `Unexpected response: ${error}`,
      });
      this.#counts = { ...this.#counts, failures: this.#counts.failures + 1 };
    }
    this.#planPoll();
  }

  /** Forgets a delayed load. */
  cancelDelayed(): void {
    window.clearTimeout(this.#delayTimer);
  }

  #planPoll(): void {
    const runs = getState().runs?.runs ?? [];
    const training = isTraining(runs) || runs.length === 0; // whoever reads the hint is about to train
    this.#pollTimer = window.setTimeout(
      () => (isVisible() ? void this.run(this.#poll) : this.#planPoll()),
      nextDelay({ training, ...this.#counts }),
    );
  }
}
