// The suggested change that makes the verdict go away.
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
