// The equation of one update, as the backend sends it: terms with their numbers, each in the look of its link.
import type { EquationAnswer, TermAnswer } from "../lib/api";
import { cleanText, prose } from "../lib/format";

interface Props {
  equation: EquationAnswer;
  chosen: string; // a link
}

interface TermProps {
  term: TermAnswer;
  chosen: string;
}

function classOf(name: string, { term, chosen }: TermProps): string {
  return `${name} ${term.state}${term.link !== "" && term.link === chosen ? " chosen" : ""}`;
}

function Formula({ term: { symbol, sub, over } }: { term: TermAnswer }) {
  return (
    <span class={over === "" ? "equation-symbol" : "equation-symbol equation-fraction"}>
      <var>
        {cleanText(symbol)}
        {sub !== "" && <sub>{cleanText(sub)}</sub>}
      </var>
      {over !== "" && <var class="equation-denominator">{cleanText(over)}</var>}
    </span>
  );
}

function Term({ term, chosen }: TermProps) {
  if (term.operator) return <span class="equation-operator">{cleanText(term.symbol)}</span>;
  return (
    <span class={classOf("equation-term", { term, chosen })} title={cleanText(term.meaning)}>
      <Formula term={term} />
      <span class="equation-number">{cleanText(term.number)}</span>
    </span>
  );
}

function Terms({ terms, chosen }: { terms: readonly TermAnswer[]; chosen: string }) {
  return (
    <>
      {terms.map((term, i) => (
        <Term key={i} term={term} chosen={chosen} />
      ))}
    </>
  );
}

/** The update with a brace below it, which holds the number of the whole. */
function Update({ equation: { update, brace }, chosen }: Props) {
  if (!brace) return <Terms terms={update} chosen={chosen} />;
  return (
    <span class={classOf("equation-update", { term: brace, chosen })} title={cleanText(brace.meaning)}>
      <span class="equation-factors">
        <Terms terms={update} chosen={chosen} />
      </span>
      <span class="equation-brace">{cleanText(`${brace.symbol} ${brace.number}`.trimEnd())}</span>
    </span>
  );
}

export function UpdateEquation({ equation, chosen }: Props) {
  const { left, caption, note, words } = equation;
  return (
    <div class="equation-block">
      <div class="equation" role="math" aria-label={cleanText(words)}>
        <Terms terms={left} chosen={chosen} />
        <Update equation={equation} chosen={chosen} />
      </div>
      {caption !== "" && <p class="equation-caption">{prose(caption)}</p>}
      {note !== "" && <p class="equation-caption equation-note">{prose(note)}</p>}
    </div>
  );
}
