// The sentence, and what stands behind it.
import type { OverviewAnswer } from "../lib/api";
import { cleanName, plural, prose } from "../lib/format";
import { Icon, lookOf, STATUS_TEXT } from "./status-icon";
import { Verdict } from "./verdict";

export function Answer({ overview }: { overview: OverviewAnswer }) {
  const first = overview.verdicts[0];
  const look = lookOf(overview.status, first?.severity ?? "none");
  return (
    <section class={`answer ${look}`} aria-labelledby="sentence">
      <p class="kicker">
        <Icon look={look} size={18} />
        <strong>{STATUS_TEXT[overview.status]}</strong>
        {first && (
          <span>
            {first.name} <span class="code-number">{first.code}</span>
          </span>
        )}
        <span class="quiet">
          {overview.state === "died" && <strong class="ill">died: </strong>}
          {cleanName(overview.state_text)}
        </span>
      </p>
      <h1 id="sentence">{prose(overview.sentence)}</h1>
      {first && <Verdict lead verdict={first} overview={overview} />}
      {overview.detail !== "" && <p class="detail">{prose(overview.detail)}</p>}
    </section>
  );
}

/** What else is wrong, and what once was: below the chain, so that the first screen holds one answer. */
export function Others({ overview }: { overview: OverviewAnswer }) {
  const others = overview.verdicts.slice(1);
  const { resolved, muted } = overview;
  if (others.length + resolved.length + muted.length === 0) return null;
  return (
    <section class="others" aria-labelledby="others-title">
      <h2 id="others-title">
        {others.length > 0
          ? "Also found, independent of that"
          : resolved.length > 0
            ? "Earlier in this run"
            : "Muted"}
      </h2>
      {others.map((v) => (
        <Verdict key={`${v.code}-${v.first_step}`} verdict={v} overview={overview} />
      ))}
      {resolved.length > 0 && (
        <details>
          <summary>{plural(resolved.length, "finding")} of earlier steps, no longer true</summary>
          {resolved.map((v) => (
            <Verdict key={`${v.code}-${v.first_step}`} verdict={v} overview={overview} />
          ))}
        </details>
      )}
      {muted.length > 0 && (
        <details class="muted">
          <summary>{plural(muted.length, "rule")} muted by you</summary>
          {muted.map(({ verdict, ...rule }) =>
            verdict ? (
              <Verdict key={rule.code} verdict={verdict} overview={overview} />
            ) : (
              <p key={rule.code}>
                {rule.name} <span class="code-number">{rule.code}</span>{" "}
                <span class="quiet">would say nothing now</span>
              </p>
            ),
          )}
        </details>
      )}
    </section>
  );
}
