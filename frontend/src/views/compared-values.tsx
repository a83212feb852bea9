// Values of several runs side by side: settings that differ, or numbers.
import { cleanName, cleanText, ellipsis, sharedStart } from "../lib/format";
import { ExportButtons } from "./export-buttons";

const MOST_LETTERS = 28; // of a name

export interface ComparedRow {
  label: string;
  values: readonly string[]; // of each run
}

interface Props {
  title: string;
  names: readonly string[]; // of the runs
  rows: readonly ComparedRow[];
}

export function ComparedValues({ title, names, rows }: Props) {
  if (rows.length === 0) return null;
  const prefix = sharedStart(names);
  const table = () => [["", ...names], ...rows.map(({ label, values }) => [label, ...values])];
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it
    <section class="compared-values" aria-label={title} tabIndex={0}>
      <table>
        <caption>
          {title} <ExportButtons name={title} table={table} />
        </caption>
        <thead>
          <tr>
            <td />
            {names.map((name) => (
              <th scope="col" key={name} title={name}>
                {ellipsis(name.slice(prefix.length), MOST_LETTERS)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ label, values }) => (
            <tr key={label}>
              <th scope="row">{cleanName(label)}</th>
              {names.map((name, i) => (
                <td key={name}>{cleanText(values[i] ?? "") || "–"}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
