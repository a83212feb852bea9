// One verdict: how sure, since when, where, by which numbers; and what it explains.
import { useState } from "preact/hooks";
import type { EvidenceAnswer, OverviewAnswer, VerdictAnswer } from "../lib/api";
import { cleanName, ellipsis, formatCount, plural, prose, sameText } from "../lib/format";
import type { Selection } from "../lib/url";
import { select } from "../load";
import { Icon, lookOfSeverity } from "./status-icon";
import { Fix } from "./suggested-fix";

const CERTAINTY: Record<VerdictAnswer["certainty"], string> = {
  certain: "certain: an exact fact of arithmetic",
  likely: "likely: judged from statistics",
};

/** Scrolls to the verdict with this code, opens what hides it, and marks it for a moment. */
export function reveal(code: number): void {
  const box = document.querySelector(`[data-code="${code}"]`);
  if (!box) return;
  for (let up = box.parentElement; up; up = up.parentElement)
    if (up instanceof HTMLDetailsElement) up.open = true;
  box.scrollIntoView({ block: "nearest", behavior: "auto" });
  box.classList.remove("flash");
  void (box as HTMLElement).offsetWidth; // restarts the animation
  box.classList.add("flash");
}

function showInMap(choice: Partial<Selection>): void {
  select(choice);
  document.querySelector(".map")?.scrollIntoView({ block: "nearest" });
}

function Variables({ names, known }: { names: string[]; known: Set<string> }) {
  const [all, setAll] = useState(false);
  const few = all || names.length <= 5 ? names : names.slice(0, 4);
  return (
    <>
      {few.map((name) => (
        <button
          type="button"
          class="chip"
          key={name}
          title={cleanName(name)}
          disabled={!known.has(name)}
          onClick={() => showInMap({ variable: name })}
        >
          {ellipsis(cleanName(name), 34)}
        </button>
      ))}
      {few.length < names.length && (
        <button type="button" class="plain" onClick={() => setAll(true)}>
          and {formatCount(names.length - few.length)} more
        </button>
      )}
    </>
  );
}

function Evidence({ items, overview }: { items: EvidenceAnswer[]; overview: OverviewAnswer }) {
  const drawn = new Set(overview.quantities.filter((q) => q.axis !== "run").map((q) => q.name));
  return (
    <ul class="evidence">
      {items.map((item, i) => (
        <li key={i}>
          {prose(item.text)}
          {drawn.has(item.quantity) && (
            <button type="button" class="plain" onClick={() => showInMap({ quantity: item.quantity })}>
              show in the map
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}

function since(v: VerdictAnswer): string {
  if (v.first_step === v.last_step) return `step ${formatCount(v.first_step)}`;
  const first = formatCount(v.first_step);
  return v.resolved
    ? `steps ${first} to ${formatCount(v.last_step)}`
    : `step ${first}, up to step ${formatCount(v.last_step)}`;
}

interface Props {
  verdict: VerdictAnswer;
  overview: OverviewAnswer;
  lead?: boolean; // its message is the sentence above and isn't said again
  level?: 2 | 3 | 4; // of its heading
}

export function Verdict({ verdict: v, overview, lead, level = 3 }: Props) {
  const Heading = `h${level}` as const;
  const known = new Set([...overview.variables.map((x) => x.name), ...overview.layers]);
  const says = lead && sameText(v.message, overview.sentence) ? "" : prose(v.message);
  return (
    <article
      class={lead ? "verdict lead" : "verdict"}
      data-code={v.code}
      aria-label={`${v.name} (${v.code})`}
    >
      {!lead && (
        <Heading class="verdict-name">
          <Icon look={lookOfSeverity(v.severity)} />
          {v.name} <span class="code-number">{v.code}</span>
          <span class="severity">{v.severity}</span>
        </Heading>
      )}
      {says && <p class="message">{says}</p>}
      <Fix fix={v.fix} />
      <dl class="meta">
        <dt>How sure</dt>
        <dd>
          {CERTAINTY[v.certainty]}{" "}
          <span class="quiet">
            · {v.resolved ? "true in" : "true since"} {since(v)}
          </span>
        </dd>
        {v.variables.length > 0 && (
          <>
            <dt>Where</dt>
            <dd>
              <span class="quiet">{plural(v.variables.length, "variable")}:</span>{" "}
              <Variables names={v.variables} known={known} />
            </dd>
          </>
        )}
        {v.evidence.length > 0 && (
          <>
            <dt>Evidence</dt>
            <dd>
              <Evidence items={v.evidence} overview={overview} />
            </dd>
          </>
        )}
      </dl>
      {v.explains.length > 0 && (
        <details>
          <summary>
            Explains {plural(v.explains.length, "more finding")}: {v.explains.map((x) => x.name).join(", ")}
          </summary>
          {v.explains.map((x) => (
            <Verdict key={`${x.code}-${x.first_step}`} verdict={x} overview={overview} level={lead ? 2 : 4} />
          ))}
        </details>
      )}
    </article>
  );
}
