// A compared run: its answer in a sentence, its first suspects, and the line that its curves are drawn with.
import { showRun, toggleCompared } from "../actions";
import { comparedToken, DASHES } from "../draw/ink";
import type { OverviewAnswer } from "../lib/api";
import { cleanName, formatCount, prose } from "../lib/format";
import { suspectsTitle } from "../lib/verdicts";
import { OutcomeMark } from "./outcome-mark";
import { Sentence } from "./sentence";
import { lookOfOverview, StatusLine } from "./status-line";

const MOST_SUSPECTS = 3; // on a card

/** The line that the curves of a run are drawn with. `index`: null for the chosen run. */
export function CurveSample({ index }: { index: number | null }) {
  const token = index === null ? "curve" : comparedToken(index);
  const dash = index === null ? [] : (DASHES[index % DASHES.length] ?? []);
  return (
    <svg width="30" height="8" aria-hidden="true">
      <path
        d="M1 4h28"
        style={{ stroke: `var(--${token})` }}
        stroke-width="2.5"
        stroke-dasharray={dash.join(" ")}
        fill="none"
      />
    </svg>
  );
}

/** The first suspects, with what experiments say of them. */
function Suspects({ overview: { suspects } }: { overview: OverviewAnswer }) {
  if (suspects.length === 0) return null;
  const more = suspects.length - MOST_SUSPECTS;
  return (
    <div class="comparison-suspects">
      {suspectsTitle(suspects)}:
      <ul>
        {suspects.slice(0, MOST_SUSPECTS).map(({ code, name, probability_text, outcome }) => (
          <li key={code}>
            <strong>{prose(probability_text)}</strong> {name} <OutcomeMark outcome={outcome} />
          </li>
        ))}
        {more > 0 && <li class="quiet">and {formatCount(more)} less probable</li>}
      </ul>
    </div>
  );
}

interface CardProps {
  overview: OverviewAnswer;
  label: string;
  index: number | null; // of a compared run
}

export function ComparisonCard({ overview, label, index }: CardProps) {
  return (
    <article class={`comparison-card ${lookOfOverview(overview)}`}>
      <h3>
        <CurveSample index={index} /> {label}
      </h3>
      <StatusLine overview={overview}>
        <span class="quiet">{cleanName(overview.state_text)}</span>
      </StatusLine>
      <p class="comparison-sentence">{prose(overview.headline)}</p>
      {overview.rest !== "" && (
        <p class="quiet">
          <Sentence text={overview.rest} />
        </p>
      )}
      <Suspects overview={overview} />
      {index !== null && (
        <p>
          <button type="button" class="text-button" onClick={() => showRun(overview.run, { compare: [] })}>
            Open this run
          </button>
          <button type="button" class="text-button" onClick={() => toggleCompared(overview.run)}>
            Remove
          </button>
        </p>
      )}
    </article>
  );
}
