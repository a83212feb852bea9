// Names of exported files: the run, the view and its steps, in letters that every file system accepts.
import { cleanName } from "./format";

const MOST_BYTES = 80; // of each part; file systems allow 255 in all

/** A part of a name without spaces, slashes and other signs, at most `MOST_BYTES` long. */
function part(text: string): string {
  const letters = cleanName(text)
    .normalize("NFC")
    .replace(/[^\p{L}\p{N}_.]+/gu, "-")
    .replace(/^[-.]+|[-.]+$/g, "");
  let kept = "";
  let bytes = 0;
  for (const letter of letters) {
    bytes += new TextEncoder().encode(letter).length;
    if (bytes > MOST_BYTES) break;
    kept += letter;
  }
  return kept.replace(/[-.]+$/, "");
}

/** "run-1_update_ratio_steps-0-408"; `steps`: the first and the last one, one step, or none. */
export function fileName(run: string, view: string, steps: readonly number[] = []): string {
  const [first, last] = [steps[0], steps[steps.length - 1]];
  const range = first === undefined ? "" : first === last ? `step-${first}` : `steps-${first}-${last}`;
  return [run, view, range].map(part).filter(Boolean).join("_") || "table";
}
