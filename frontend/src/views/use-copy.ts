import { useState } from "preact/hooks";
import { copyText } from "../clipboard";

const MESSAGE_MS = 1600;

/** The label of a copy button, and a function that copies. For a moment the label shows whether it worked. */
export function useCopy(failure: string) {
  const [label, setLabel] = useState("Copy");
  const copy = async (text: string) => {
    setLabel((await copyText(text)) ? "Copied" : failure);
    window.setTimeout(() => setLabel("Copy"), MESSAGE_MS);
  };
  return { label, copy };
}
