import { useEffect, useRef } from "preact/hooks";
import { type ScrollTarget, setState, useSelector } from "../state";

/** Returns a ref whose element is scrolled into view when an action asks for `target`. */
export function useScrollTarget<T extends HTMLElement>(target: ScrollTarget, onReached?: () => void) {
  const ref = useRef<T>(null);
  const isTarget = useSelector((s) => s.scrollTarget === target);
  useEffect(() => {
    if (!isTarget) return;
    ref.current?.scrollIntoView({ block: "nearest", behavior: "auto" });
    setState({ scrollTarget: null });
    onReached?.();
  }, [isTarget]);
  return ref;
}
