// The checks that passed or were inconclusive, facts about the run, and the footer.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { FactAnswer, OverviewAnswer, RuleRef } from "../lib/api";
import { cleanName, cleanText, formatCount, plural } from "../lib/format";
import { Disclosure } from "./disclosure";
import { ExplainButton } from "./explain-button";
import { useScrollTarget } from "./use-scroll-target";

function Rule({ rule, children }: { rule: RuleRef; children?: ComponentChildren }) {
  const [flashing, setFlashing] = useState(false);
  const ref = useScrollTarget<HTMLLIElement>(rule, () => setFlashing(true));
  return (
    <li ref={ref} class={flashing ? "verdict-flashing" : undefined} onAnimationEnd={() => setFlashing(false)}>
      <span>
        <span class="rule-code">{rule.code}</span> {rule.name}
      </span>
      <span>
        {children} <span class="quiet">{cleanText(rule.summary)}</span>{" "}
        <ExplainButton rule={rule.code} name={rule.name} />
      </span>
    </li>
  );
}

function Facts({ facts }: { facts: FactAnswer[] }) {
  return (
    <dl class="check-facts">
      {facts.map((fact, i) => (
        <div key={i}>
          <dt>{cleanName(fact.label)}</dt>
          <dd>{cleanText(fact.value)}</dd>
        </div>
      ))}
    </dl>
  );
}

export function CheckList({ overview }: { overview: OverviewAnswer }) {
  const { passed, unknown, facts } = overview;
  return (
    <section class="panel-section" aria-labelledby="checks-title">
      <h2 id="checks-title">Other checks</h2>
      {unknown.length > 0 && (
        <Disclosure summary={`${plural(unknown.length, "check")} inconclusive`} targets={unknown}>
          <ul class="check-rules">
            {unknown.map((rule) => (
              <Rule key={rule.code} rule={rule}>
                {cleanText(rule.lacked)}
              </Rule>
            ))}
          </ul>
        </Disclosure>
      )}
      <Disclosure summary={`${plural(passed.length, "check")} passed`} targets={passed}>
        <ul class="check-rules">
          {passed.map((rule) => (
            <Rule key={rule.code} rule={rule} />
          ))}
        </ul>
      </Disclosure>
      {facts.length > 0 && (
        <details>
          <summary>Facts: model, optimizer, versions</summary>
          <Facts facts={facts} />
        </details>
      )}
    </section>
  );
}

export function Footer({ overview }: { overview: OverviewAnswer }) {
  return (
    <footer class="page-footer">
      {plural(overview.rows, "row")} recorded up to step {formatCount(overview.last_step)}
      {overview.skipped > 0 && ` · ${plural(overview.skipped, "damaged record")} skipped`}
    </footer>
  );
}
