// One suspect: how probable it is, what speaks for and against it, what would settle it, and its fix.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { revealExperiment } from "../actions";
import type { ExperimentAnswer, SuspectAnswer } from "../lib/api";
import { cleanName, prose } from "../lib/format";
import { Disclosure } from "./disclosure";
import { ExplainButton } from "./explain-button";
import { OutcomeMark } from "./outcome-mark";
import { Sentence } from "./sentence";
import { SuggestedFix } from "./suggested-fix";
import { Prose } from "./text-with-code";
import { useScrollTarget } from "./use-scroll-target";

function Summary({ suspect, link }: { suspect: SuspectAnswer; link: string }) {
  return (
    <>
      <span class="suspect-probability">
        <span class="suspect-percent">{prose(suspect.probability_text)}</span>
        <span class="suspect-bar" aria-hidden="true">
          <span style={{ width: `${100 * suspect.probability}%` }} />
        </span>
      </span>
      <span class="suspect-text">
        <span>
          <strong>{suspect.name}</strong> <span class="rule-code">{suspect.code}</span>{" "}
          <span class="quiet">· {link}</span> <OutcomeMark outcome={suspect.outcome} />
        </span>
        <span>{prose(suspect.headline)}</span>
      </span>
    </>
  );
}

function Row({ term, children }: { term: string; children: ComponentChildren }) {
  return (
    <>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </>
  );
}

/** Facts for or against a suspect. */
function Facts({ term, facts, none }: { term: string; facts: readonly string[]; none: string }) {
  return (
    <Row term={term}>
      {facts.length > 0 ? (
        <ul class="suspect-facts">
          {facts.map((fact) => (
            <li key={fact}>{prose(fact)}</li>
          ))}
        </ul>
      ) : (
        <span class="quiet">{none}</span>
      )}
    </Row>
  );
}

interface Props {
  suspect: SuspectAnswer;
  link: string; // the title of its link
  experiment: ExperimentAnswer | undefined; // that has tested it
  first: boolean; // the most probable one is open from the start
  fixAbove: boolean; // its fix stands beside the sentence of the page
}

export function Suspect({ suspect, link, experiment, first, fixAbove }: Props) {
  const [flashing, setFlashing] = useState(false);
  const ref = useScrollTarget<HTMLLIElement>(suspect, () => setFlashing(true));
  const settled = suspect.outcome === "confirmed" || suspect.outcome === "refuted";
  const confirmed = suspect.outcome === "confirmed";
  return (
    <li
      ref={ref}
      class={`suspect ${suspect.outcome}${flashing ? " verdict-flashing" : ""}`}
      onAnimationEnd={() => setFlashing(false)}
    >
      <Disclosure
        summary={<Summary suspect={suspect} link={link} />}
        targets={[suspect]}
        initiallyOpen={first}
      >
        <div class="suspect-body">
          <p>
            {suspect.rest !== "" && <Sentence text={suspect.rest} />}{" "}
            {suspect.summary !== "" && <span class="quiet">{prose(suspect.summary)}</span>}{" "}
            <ExplainButton rule={suspect.code} name={suspect.name} />
          </p>
          <dl class="verdict-details">
            {suspect.experiment !== "" && (
              <Row term="Experiment">
                <Sentence text={suspect.experiment} />
                {experiment && (
                  <button type="button" class="text-button" onClick={() => revealExperiment(experiment)}>
                    {`Show the ${cleanName(experiment.title).toLowerCase()}`}
                  </button>
                )}
              </Row>
            )}
            <Facts term="For it" facts={suspect.supports} none="nothing in particular" />
            <Facts term="Against it" facts={suspect.contradicts} none="nothing that was recorded" />
            {suspect.settle !== "" && !settled && (
              <Row term="To settle it">
                <Prose text={suspect.settle} />
              </Row>
            )}
          </dl>
          {!fixAbove && (
            <SuggestedFix
              fix={suspect.fix}
              title={confirmed ? "What to do" : "What to do if it is the cause"}
            />
          )}
        </div>
      </Disclosure>
    </li>
  );
}
