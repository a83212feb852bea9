// Two runs or more: their sentences side by side, what differs, and where they part.

import { DASHES, otherInk } from "../draw/curve-plot";
import type { OverviewAnswer, PairAnswer } from "../lib/api";
import { cleanName, cleanText, prose } from "../lib/format";
import { select, toggleCompared } from "../load";
import { getState, type Other } from "../state";
import { Tools } from "./export-buttons";
import { Icon, lookOf, STATUS_TEXT } from "./status-icon";

/** A run's name for display. */
export function labelOf(run: string): string {
  return cleanName(getState().runs?.runs.find((r) => r.run === run)?.label ?? run);
}

function Stroke({ place, dark }: { place: number; dark: boolean }) {
  const stroke = place < 0 ? (dark ? "#7fb5ff" : "#1a5fb4") : otherInk(place, dark);
  const dash = place < 0 ? "" : (DASHES[place % DASHES.length] as number[]).join(" ");
  return (
    <svg width="30" height="8" aria-hidden="true">
      <path d="M1 4h28" stroke={stroke} stroke-width="2.5" stroke-dasharray={dash} fill="none" />
    </svg>
  );
}

function Card({ overview, place, dark }: { overview: OverviewAnswer; place: number; dark: boolean }) {
  const look = lookOf(overview.status, overview.verdicts[0]?.severity ?? "none");
  return (
    <article class={`card answer ${look}`}>
      <h3>
        <Stroke place={place} dark={dark} /> {labelOf(overview.run)}
      </h3>
      <p class="kicker">
        <Icon look={look} /> <strong>{STATUS_TEXT[overview.status]}</strong>
        <span class="quiet">{cleanName(overview.state_text)}</span>
      </p>
      <p class="card-sentence">{prose(overview.sentence)}</p>
      {place >= 0 && (
        <p>
          <button
            type="button"
            class="plain"
            onClick={() => select({ run: overview.run, launch: "", compare: "" })}
          >
            Open this run
          </button>
          <button type="button" class="plain" onClick={() => toggleCompared(overview.run)}>
            Take away
          </button>
        </p>
      )}
    </article>
  );
}

function Pairs({ title, pairs, names }: { title: string; pairs: PairAnswer[]; names: [string, string] }) {
  if (pairs.length === 0) return null;
  const table = () => [["", ...names], ...pairs.map((p) => [p.label, p.one, p.other])];
  return (
    <div class="pairs">
      <table>
        <caption>
          {title} <Tools name={title} table={table} />
        </caption>
        <thead>
          <tr>
            <td />
            {names.map((name) => (
              <th scope="col" key={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {pairs.map((p) => (
            <tr key={p.label}>
              <th scope="row">{cleanName(p.label)}</th>
              <td>{cleanText(p.one) || "–"}</td>
              <td>{cleanText(p.other) || "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface Props {
  overview: OverviewAnswer;
  others: Other[];
  dark: boolean;
}

export function Compare({ overview, others, dark }: Props) {
  return (
    <section class="compare" aria-labelledby="compare-title">
      <div class="section-head">
        <h2 id="compare-title" class="grow">
          Side by side
        </h2>
        <button type="button" class="tool" onClick={() => select({ compare: "" })}>
          End comparing
        </button>
      </div>
      <div class="cards">
        <Card overview={overview} place={-1} dark={dark} />
        {others.map((other, i) => (
          <Card key={other.run} overview={other.overview} place={i} dark={dark} />
        ))}
      </div>
      {others.map((other) => (
        <div key={other.run} class="parting">
          <p>
            <strong>{others.length > 1 ? `${labelOf(other.run)}: ` : ""}</strong>
            <strong>{prose(other.compare.text)}</strong>
          </p>
          <Pairs
            title="Settings that differ"
            pairs={other.compare.settings}
            names={[labelOf(overview.run), labelOf(other.run)]}
          />
          <Pairs
            title={`Numbers that differ at step ${other.compare.first_step ?? ""}`}
            pairs={other.compare.numbers}
            names={[labelOf(overview.run), labelOf(other.run)]}
          />
        </div>
      ))}
    </section>
  );
}
