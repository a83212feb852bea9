// A sample of the fill of cells that are not a number, for legends.
import { useLayoutEffect, useRef } from "preact/hooks";
import { paintSwatch } from "../draw/heatmap";
import type { SpecialKind } from "../lib/cells";
import { useSelector } from "../state";

export function Swatch({ kind }: { kind: SpecialKind }) {
  const ref = useRef<HTMLCanvasElement>(null);
  const dark = useSelector((s) => s.dark);
  useLayoutEffect(() => {
    if (ref.current) paintSwatch(ref.current, kind, dark);
  }, [kind, dark]);
  return <canvas ref={ref} class="swatch" />;
}
