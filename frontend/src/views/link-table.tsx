// A table of runs: the answer, the seven links, and what else is known of each. The heads of its columns sort it.
import type { ComponentChildren } from "preact";
import type { LinkCell, SettingColumn } from "../lib/api-table";
import { cleanName, cleanText, ellipsis, formatCell, formatCount, prose, sharedStart } from "../lib/format";
import { type Sort, sortedRows, type TableRow } from "../lib/run-table";
import { moveFocus } from "./move-focus";
import { LINK_LOOK, lookOf, StatusIcon } from "./status-icon";

const [MOST_LETTERS, MOST_PREFIX_LETTERS, MOST_VALUE_LETTERS] = [34, 20, 24];
const NO_SETTINGS: SettingColumn[] = [];

interface HeadProps {
  column: string;
  sort: Sort;
  onSort: (sort: Sort) => void;
  title?: string;
  children: ComponentChildren;
}

function Head({ column, sort, onSort, title, children }: HeadProps) {
  const isSorted = sort.key === column;
  const direction = sort.descending ? "descending" : "ascending";
  return (
    <th scope="col" aria-sort={isSorted ? direction : undefined}>
      <button
        type="button"
        title={title}
        onClick={() => onSort({ key: column, descending: isSorted && !sort.descending })}
      >
        {children}
        <span class="link-table-arrow" aria-hidden="true">
          {isSorted && (sort.descending ? "▼" : "▲")}
        </span>
      </button>
    </th>
  );
}

function LinkState({ link }: { link: LinkCell | undefined }) {
  if (!link) return <td class="quiet">…</td>;
  const state = link.state_text;
  return (
    <td
      class={link.first ? "link-table-first" : undefined}
      title={cleanText(`${link.title}: ${state}. ${link.text}\n${link.meaning} ${link.number}`)}
    >
      <span class="link-table-state">
        <StatusIcon look={LINK_LOOK[link.state]} size={14} />
        <span class="visually-hidden">{state}</span> {cleanText(link.number)}
      </span>
    </td>
  );
}

function Setting({ value }: { value: string | null | undefined }) {
  if (value === undefined) return <td class="quiet">…</td>;
  if (value === null) return <td class="quiet">not recorded</td>;
  return <td title={value}>{value === "" ? "none" : ellipsis(cleanName(value), MOST_VALUE_LETTERS)}</td>;
}

interface RowProps {
  row: TableRow;
  prefix: string; // that all names begin with
  lead?: ComponentChildren; // before the name
  links: readonly LinkCell[]; // of any run, for the columns
  settings: readonly SettingColumn[];
  leading: number;
  withLoss: boolean;
  onOpen: ((run: string) => void) | undefined;
}

function Row({ row, prefix, lead, links, settings, leading, withLoss, onOpen }: RowProps) {
  const name = cleanName(row.label);
  const shown = ellipsis(name.slice(prefix.length), MOST_LETTERS);
  return (
    // the button in the row is what the keyboard uses
    <tr onClick={onOpen && (() => onOpen(row.run))} class={onOpen && "link-table-open"}>
      <th scope="row" title={`${name}\n${cleanName(row.state_text)}`}>
        {lead}
        {onOpen ? <button type="button">{shown}</button> : shown}
      </th>
      <td class="link-table-answer">
        <StatusIcon look={lookOf(row.status, row.severity)} size={14} /> {prose(cleanName(row.headline))}
      </td>
      {settings.slice(0, leading).map(({ name }, i) => (
        <Setting key={name} value={row.settings[i]} />
      ))}
      {links.map(({ link }, i) => (
        <LinkState key={link} link={row.links[i]} />
      ))}
      {withLoss && <td class="link-table-number">{row.links.length > 0 ? formatCell(row.loss) : "…"}</td>}
      {settings.slice(leading).map(({ name }, i) => (
        <Setting key={name} value={row.settings[leading + i]} />
      ))}
      <td class="link-table-number">{formatCount(row.last_step)}</td>
    </tr>
  );
}

function settingHint({ name, also }: SettingColumn): string {
  return also.length > 0 ? `${name}\nThese differ between the same runs: ${also.join(", ")}` : name;
}

interface Props {
  caption: string;
  rows: readonly TableRow[];
  settings?: readonly SettingColumn[];
  leading?: number; // how many settings stand beside the answer; the others come last
  withLoss?: boolean;
  sort: Sort;
  onSort: (sort: Sort) => void;
  lead?: (run: string) => ComponentChildren;
  onOpen?: (run: string) => void;
}

export function LinkTable({
  caption,
  rows,
  settings = NO_SETTINGS,
  leading = 0,
  withLoss = false,
  sort,
  onSort,
  lead,
  onOpen,
}: Props) {
  const prefix = sharedStart(rows.map(({ label }) => cleanName(label)));
  const links = rows.find((row) => row.links.length > 0)?.links ?? [];
  const head = { sort, onSort };
  const settingHead = (setting: SettingColumn) => (
    <Head key={setting.name} column={setting.name} title={settingHint(setting)} {...head}>
      {cleanName(setting.label)}
      {setting.also.length > 0 && <span class="quiet"> +{setting.also.length}</span>}
    </Head>
  );
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it
    <section class="link-table" aria-label={caption} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <Head column="run" title={prefix && `All names begin with ${prefix}`} {...head}>
              Run {prefix && <span class="quiet">{ellipsis(prefix, MOST_PREFIX_LETTERS)}…</span>}
            </Head>
            <Head column="answer" title="Worst first" {...head}>
              Answer
            </Head>
            {settings.slice(0, leading).map(settingHead)}
            {links.map(({ link, title }) => (
              <Head key={link} column={link} title={"Broken first, then the largest number"} {...head}>
                {title}
              </Head>
            ))}
            {withLoss && (
              <Head column="final" title="Mean of the last eighth of the recorded losses" {...head}>
                Final loss
              </Head>
            )}
            {settings.slice(leading).map(settingHead)}
            <Head column="step" {...head}>
              Last step
            </Head>
          </tr>
        </thead>
        <tbody onKeyDown={(event) => moveFocus(event, "th button")}>
          {sortedRows(rows, sort, settings).map((row) => (
            <Row
              key={row.run}
              lead={lead?.(row.run)}
              {...{ row, prefix, links, settings, leading, withLoss, onOpen }}
            />
          ))}
        </tbody>
      </table>
    </section>
  );
}
