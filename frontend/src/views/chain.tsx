// The seven links from data to weight. The first broken one is marked; where none is, those that are suspected.
import { revealFinding, select } from "../actions";
import type { LinkAnswer, OverviewAnswer } from "../lib/api";
import { cleanText, prose, sameText, sentence } from "../lib/format";
import { leadingVerdict } from "../lib/verdicts";
import { useSelector } from "../state";
import { LinkChecks } from "./link-checks";
import { LINK_LOOK, StatusIcon } from "./status-icon";
import { UpdateEquation } from "./update-equation";

interface LinkProps {
  link: LinkAnswer;
  lead: boolean; // the link of the most probable suspect
  chosen: boolean;
  onChoose: () => void;
}

function Link({ link, lead, chosen, onChoose }: LinkProps) {
  return (
    <li class={`chain-link ${link.state}${link.first ? " first" : ""}${lead ? " lead" : ""}`}>
      <button type="button" aria-pressed={chosen} onClick={onChoose} title={cleanText(link.text)}>
        <span class="chain-link-title">{link.title}</span>
        <span class="chain-link-state">
          <StatusIcon look={LINK_LOOK[link.state]} size={14} />
          {cleanText(link.state_text)}
        </span>
        <span class="chain-link-number">{prose(link.number) || "–"}</span>
        <span class="chain-link-meaning">{cleanText(link.meaning)}</span>
      </button>
    </li>
  );
}

/** The text of a link. It does not repeat the sentence of the page. */
function textOf(link: LinkAnswer, overview: OverviewAnswer): string {
  const first = leadingVerdict(overview);
  if (!first || !sameText(link.text, overview.sentence)) return sentence(link.text);
  const titles = overview.chain.filter((l) => l.state === "affected").map((l) => l.title.toLowerCase());
  const affected = titles.length > 0 ? ` Affected: ${titles.join(", ")}.` : "";
  return `The chain breaks here first: ${first.name}.${affected}`;
}

function titleOf(chain: readonly LinkAnswer[]): string {
  if (chain.some((l) => l.first)) return "Where the chain breaks";
  return chain.some((l) => l.state === "suspected")
    ? "Where the chain may break"
    : "The chain from data to weight";
}

export function Chain({ overview }: { overview: OverviewAnswer }) {
  const { chain } = overview;
  const chosen = useSelector((s) => s.shown.link);
  const suspected = overview.suspects[0]?.link;
  const shown =
    chain.find((l) => l.link === chosen) ??
    chain.find((l) => l.first) ??
    chain.find((l) => l.link === suspected);
  const choose = ({ link, codes }: LinkAnswer) => {
    select({ link });
    if (codes[0] !== undefined) revealFinding(codes[0]);
  };
  return (
    <section class="panel-section chain" aria-labelledby="chain-title">
      <h2 id="chain-title">{titleOf(chain)}</h2>
      <ol class="chain-links">
        {chain.map((link) => (
          <Link
            key={link.link}
            link={link}
            lead={link.link === suspected}
            chosen={link === shown}
            onChoose={() => choose(link)}
          />
        ))}
      </ol>
      <div class="chain-foot">
        <UpdateEquation equation={overview.equation} chosen={shown?.link ?? ""} />
        {shown && (
          <p class="chain-text" aria-live="polite">
            <strong>{shown.title}.</strong> {textOf(shown, overview)}
          </p>
        )}
        {shown && shown.link === chosen && <LinkChecks link={shown} overview={overview} />}
      </div>
    </section>
  );
}
