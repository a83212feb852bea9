// Findings that are hidden until the user opens them, or jumps to one of them.
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";
import { type ScrollTarget, useSelector } from "../state";

interface Props {
  summary: ComponentChildren;
  targets: readonly ScrollTarget[]; // the findings inside
  initiallyOpen?: boolean;
  children: ComponentChildren;
}

export function Disclosure({ summary, targets, initiallyOpen = false, children }: Props) {
  const [open, setOpen] = useState(initiallyOpen);
  const hidesTarget = useSelector(
    ({ scrollTarget }) => scrollTarget !== null && targets.includes(scrollTarget),
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
