// What to change so that the verdict no longer holds.
import { Prose } from "./text-with-code";

export function SuggestedFix({ fix }: { fix: string }) {
  if (fix.trim() === "") return null;
  return (
    <div class="suggested-fix">
      <p class="suggested-fix-title">What to do</p>
      <Prose text={fix} />
    </div>
  );
}
