// A search box for names, which says how it reads what was typed.
import { useMemo } from "preact/hooks";
import { type NameFilter, parseNameFilter } from "../lib/name-filter";

const HINT = "Text, glob (dense_*/kernel) or regular expression (kernel$|bias$)";

export function useNameFilter(text: string): NameFilter {
  return useMemo(() => parseNameFilter(text), [text]);
}

interface Props {
  label: string;
  text: string;
  filter: NameFilter; // of the text
  matching: string; // "3 of 12 variables"
  onText: (text: string) => void;
}

export function NameFilterBox({ label, text, filter, matching, onText }: Props) {
  const isInvalid = filter.kind === "invalid";
  const kind = filter.kind === "glob" || filter.kind === "regex" ? `${filter.kind}: ` : "";
  return (
    <div class="name-filter">
      <input
        class="name-filter-box"
        type="search"
        placeholder={label}
        aria-label={label}
        aria-invalid={isInvalid}
        title={HINT}
        value={text}
        onInput={(event) => onText(event.currentTarget.value)}
      />
      <span class={isInvalid ? "name-filter-note error" : "name-filter-note quiet"} role="status">
        {isInvalid ? filter.error : filter.kind !== "none" && `${kind}${matching}`}
      </span>
    </div>
  );
}
