// Every chart and table as text: a CSV file, or the clipboard.
import { useState } from "preact/hooks";
import { type Table, toCsv, toTsv } from "../lib/csv";
import { copy } from "./suggested-fix";

function save(name: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = `${name.replace(/[^\w.-]+/g, "-").slice(0, 80)}.csv`;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

export function Tools({ name, table }: { name: string; table: () => Table }) {
  const [label, setLabel] = useState("Copy");
  const onCopy = async () => {
    setLabel((await copy(toTsv(table()))) ? "Copied" : "Could not copy");
    window.setTimeout(() => setLabel("Copy"), 1600);
  };
  return (
    <span class="tools">
      <button
        type="button"
        class="tool"
        onClick={() => save(name, toCsv(table()))}
        aria-label={`CSV of ${name}`}
      >
        CSV
      </button>
      <button
        type="button"
        class="tool"
        onClick={onCopy}
        aria-live="polite"
        aria-label={`${label} table of ${name}`}
      >
        {label}
      </button>
    </span>
  );
}
