// Verdicts that are hidden until the user opens them, or jumps to one of them.
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";
import type { VerdictAnswer } from "../lib/api";
import { withExplained } from "../lib/verdicts";
import { useSelector } from "../state";

interface Props {
  summary: ComponentChildren;
  verdicts: readonly VerdictAnswer[]; // those inside
  children: ComponentChildren;
}

export function Disclosure({ summary, verdicts, children }: Props) {
  const [open, setOpen] = useState(false);
  const hidesTarget = useSelector(
    ({ scrollTarget }) => scrollTarget !== null && withExplained(verdicts).some((v) => v === scrollTarget),
  );
  useLayoutEffect(() => {
    if (hidesTarget) setOpen(true);
  }, [hidesTarget]);
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{summary}</summary>
      {children}
    </details>
  );
}
