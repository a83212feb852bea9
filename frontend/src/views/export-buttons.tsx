// Buttons that export a chart or a table as text: to a CSV file, or to the clipboard.
import { type Table, toCsv, toTsv } from "../lib/csv";
import { fileName } from "../lib/file-names";
import { runLabel } from "../lib/format";
import { useSelector } from "../state";
import { useCopy } from "./use-copy";

function downloadCsv(file: string, csv: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([csv], { type: "text/csv" }));
  link.download = `${file}.csv`;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

interface Props {
  run?: string; // for the name of the file; "": the table is of several runs
  name: string; // of the view
  steps?: readonly number[]; // of the table: the first and the last one, one step, or none
  table: () => Table; // called only when a button is pressed
}

export function ExportButtons({ run, name, steps, table }: Props) {
  const { label, copy } = useCopy("Could not copy");
  const shown = useSelector((s) => runLabel(s.runs?.runs, s.shown.run));
  const download = () => downloadCsv(fileName(run ?? shown, name, steps), toCsv(table()));
  return (
    <span class="button-group">
      <button type="button" class="small-button" onClick={download} aria-label={`CSV of ${name}`}>
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
