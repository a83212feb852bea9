import { useLayoutEffect, useRef, useState } from "preact/hooks";

/** A ref and the measured width of its element, in whole CSS pixels; 0 before the first layout or while hidden. */
export function useWidth<T extends HTMLElement>() {
  const ref = useRef<T>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    const read = () => {
      const now = Math.floor(element.clientWidth);
      if (now > 0) setWidth(now);
    };
    read();
    const observer = new ResizeObserver(read);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { ref, width };
}
