// The seven links from data to weight. The first broken one is marked.
import { useState } from "preact/hooks";
import { revealVerdict } from "../actions";
import type { LinkAnswer, OverviewAnswer } from "../lib/api";
import { termOf } from "../lib/equation";
import { cleanText, prose, sameText } from "../lib/format";
import { LINK_LOOK, StatusIcon } from "./status-icon";
import { UpdateEquation } from "./update-equation";

interface LinkProps {
  link: LinkAnswer;
  chosen: boolean;
  onChoose: () => void;
}

function Link({ link, chosen, onChoose }: LinkProps) {
  const [look, text] = LINK_LOOK[link.state];
  return (
    <li class={`chain-link ${link.state}${link.first ? " first" : ""}`}>
      <button type="button" aria-pressed={chosen} onClick={onChoose} title={cleanText(link.text)}>
        <span class="chain-link-title">
          <StatusIcon look={look} />
          {link.title}
        </span>
        <span class="chain-link-state">{link.first ? "breaks here" : text}</span>
        <span class="chain-link-number">{link.number || "–"}</span>
        <span class="chain-link-meaning">{cleanText(link.meaning)}</span>
      </button>
    </li>
  );
}

/** The text of a link. It does not repeat the sentence of the page. */
function textOf(link: LinkAnswer, overview: OverviewAnswer): string {
  const first = overview.verdicts[0];
  if (!first || !sameText(link.text, overview.sentence)) return prose(link.text);
  const titles = overview.chain.filter((l) => l.state === "consequence").map((l) => l.title.toLowerCase());
  const label = titles.length > 1 ? "Consequences" : "Consequence";
  const consequences = titles.length > 0 ? ` ${label}: ${titles.join(" and ")}.` : "";
  return `The chain breaks here first: ${first.name}.${consequences}`;
}

export function Chain({ overview }: { overview: OverviewAnswer }) {
  const { chain } = overview;
  const [chosen, setChosen] = useState("");
  const shown = chain.find((l) => l.link === chosen) ?? chain.find((l) => l.first);
  const choose = ({ link, codes }: LinkAnswer) => {
    setChosen(link);
    if (codes[0] !== undefined) revealVerdict(codes[0]);
  };
  return (
    <section class="panel-section chain" aria-labelledby="chain-title">
      <h2 id="chain-title">
        {chain.some((l) => l.first) ? "Where the chain breaks" : "The chain from data to weight"}
      </h2>
      <ol class="chain-links">
        {chain.map((link) => (
          <Link key={link.link} link={link} chosen={link === shown} onChoose={() => choose(link)} />
        ))}
      </ol>
      <div class="chain-foot">
        <UpdateEquation chain={chain} chosen={shown ? termOf(shown) : null} />
        {shown && (
          <p class="chain-text" aria-live="polite">
            <strong>{shown.title}.</strong> {textOf(shown, overview)}
          </p>
        )}
      </div>
    </section>
  );
}
