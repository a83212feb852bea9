import { viridisGradient } from "../lib/colour";

/** The colours of a scale from its smallest to its largest value. */
export function ColourBar() {
  return <span class="colour-bar" style={{ background: viridisGradient() }} />;
}
