// What was checked and found well, what could not be told and why, the facts, and the footer.
import type { OverviewAnswer } from "../lib/api";
import { cleanName, cleanText, formatCount, plural } from "../lib/format";

export function Checks({ overview }: { overview: OverviewAnswer }) {
  const { passed, unknown, facts } = overview;
  return (
    <section aria-labelledby="checks-title" class="checks">
      <h2 id="checks-title">What else was checked</h2>
      {unknown.length > 0 && (
        <details>
          <summary>{plural(unknown.length, "check")} could not tell</summary>
          <ul class="rules">
            {unknown.map((rule) => (
              <li key={rule.code}>
                <span class="rule-name">
                  <span class="code-number">{rule.code}</span> {rule.name}
                </span>
                <span>
                  {cleanText(rule.lacked)} <span class="quiet">{cleanText(rule.summary)}</span>
                </span>
              </li>
            ))}
          </ul>
        </details>
      )}
      <details>
        <summary>{plural(passed.length, "check")} passed</summary>
        <ul class="rules">
          {passed.map((rule) => (
            <li key={rule.code}>
              <span class="rule-name">
                <span class="code-number">{rule.code}</span> {rule.name}
              </span>
              <span class="quiet">{cleanText(rule.summary)}</span>
            </li>
          ))}
        </ul>
      </details>
      {facts.length > 0 && (
        <details>
          <summary>Facts: model, optimizer, versions</summary>
          <dl class="facts">
            {facts.map((fact, i) => (
              <div key={i}>
                <dt>{cleanName(fact.label)}</dt>
                <dd>{cleanText(fact.value)}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </section>
  );
}

export function Footer({ overview }: { overview: OverviewAnswer }) {
  return (
    <footer>
      {plural(overview.rows, "row")} recorded up to step {formatCount(overview.last_step)}
      {overview.skipped > 0 && ` · ${plural(overview.skipped, "damaged record")} skipped`}
    </footer>
  );
}
