// Keeps the focus in the page when the button that had it goes away with what it belonged to.
import { useLayoutEffect, useRef } from "preact/hooks";
import { useSelector } from "../state";

/** Elements of this class name what is shown, and take the focus that would be lost. */
export const PAGE_TITLE = "page-title";

/** After the view, the run or the comparison has changed, the title takes the focus if nothing else has it. */
export function useKeptFocus(): void {
  const isTable = useSelector((s) => s.selection.view !== "");
  const run = useSelector((s) => s.shown.run);
  const comparing = useSelector((s) => s.comparison !== null);
  const isLoaded = useSelector((s) => s.overview !== null); // the title is another element then
  const place = isTable ? "table" : run && `${comparing} ${run}`;
  const last = useRef({ place, moved: false });
  if (place !== last.current.place) last.current = { place, moved: last.current.place !== "" };
  useLayoutEffect(() => {
    // A page that has just been opened does not take the focus from TensorBoard.
    if (!last.current.moved || !document.hasFocus() || document.activeElement !== document.body) return;
    document.querySelector<HTMLElement>(`.${PAGE_TITLE}`)?.focus({ preventScroll: true });
  }, [place, isLoaded]);
}
