// A button that opens the explanation of a rule or of a quantity.
import { explain } from "../actions";
import type { Explained } from "../lib/explained";

interface Props extends Explained {
  name: string; // of what is explained, for screen readers
  small?: boolean; // a question mark
}

export function ExplainButton({ name, small = false, ...explained }: Props) {
  return (
    <button
      type="button"
      class={small ? "explain-button explain-button-small" : "explain-button"}
      aria-haspopup="dialog"
      aria-label={`Explain ${name}`}
      title={`Explain ${name}`}
      onClick={() => explain(explained)}
    >
      {small ? "?" : "Explain"}
    </button>
  );
}
