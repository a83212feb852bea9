// Buttons that export a chart or a table as text: to a CSV file, or to the clipboard.
import { type Table, toCsv, toTsv } from "../lib/csv";
import { useCopy } from "./use-copy";

function downloadCsv(name: string, csv: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([csv], { type: "text/csv" }));
  link.download = `${name.replace(/[^\w.-]+/g, "-").slice(0, 80)}.csv`;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** `table` is called only when a button is pressed. */
export function ExportButtons({ name, table }: { name: string; table: () => Table }) {
  const { label, copy } = useCopy("Could not copy");
  return (
    <span class="button-group">
      <button
        type="button"
        class="small-button"
        onClick={() => downloadCsv(name, toCsv(table()))}
        aria-label={`CSV of ${name}`}
      >
        CSV
      </button>
      <button
        type="button"
        class="small-button"
        onClick={() => copy(toTsv(table()))}
        aria-live="polite"
        aria-label={`${label} table of ${name}`}
      >
        {label}
      </button>
    </span>
  );
}
