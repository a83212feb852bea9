// Buttons that move and zoom the step axis of all charts.
import { select, zoomTo } from "../actions";
import { isWhole, moved } from "../lib/buckets";
import { useAxis } from "./use-axis";

const MIN_STEPS = 4; // a narrower axis is not zoomed further

export function ZoomButtons() {
  const { span, whole } = useAxis();
  const all = isWhole(span, whole);
  const move = (by: number, wider: number) => zoomTo(moved(span, whole, by, wider), whole);
  const buttons = [
    ["◀", "Earlier steps", () => move(-0.5, 1), all],
    ["▶", "Later steps", () => move(0.5, 1), all],
    ["+", "Zoom in", () => move(0, 0.5), span.to - span.from < MIN_STEPS],
    ["−", "Zoom out", () => move(0, 2), all],
    ["Whole run", "Show the whole run", () => select({ steps: null }), all],
  ] as const;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for form fields
    <span class="button-group" role="group" aria-label="Steps shown">
      {buttons.map(([text, label, onClick, disabled]) => (
        <button
          key={text}
          type="button"
          class="small-button"
          aria-label={label}
          title={label}
          onClick={onClick}
          disabled={disabled}
        >
          {text}
        </button>
      ))}
    </span>
  );
}
