// The suggested change that makes the problem go away.
import { Prose } from "./text-with-code";

export function SuggestedFix({ fix, title = "What to do" }: { fix: string; title?: string }) {
  if (fix.trim() === "") return null;
  return (
    <div class="suggested-fix">
      <p class="suggested-fix-title">{title}</p>
      <Prose text={fix} />
    </div>
  );
}
