// Seven links from data to weight, the first broken one marked, and the equation they make.
import type { ComponentChildren } from "preact";
import type { LinkAnswer, OverviewAnswer } from "../lib/api";
import { linkOf, type Part, partOf } from "../lib/equation";
import { cleanText, prose, sameText } from "../lib/format";
import { Icon, LINK_LOOK } from "./status-icon";

interface Props {
  overview: OverviewAnswer;
  chosen: string;
  onChoose: (link: string, codes: number[]) => void;
}

function Link({
  link,
  chosen,
  onChoose,
}: {
  link: LinkAnswer;
  chosen: boolean;
  onChoose: Props["onChoose"];
}) {
  const [look, text] = LINK_LOOK[link.state];
  return (
    <li class={`link ${link.state}${link.first ? " first" : ""}`}>
      <button
        type="button"
        aria-pressed={chosen}
        onClick={() => onChoose(link.link, link.codes)}
        title={cleanText(link.text)}
      >
        <span class="link-title">
          <Icon look={look} />
          {link.title}
        </span>
        <span class="link-state">{link.first ? "breaks here" : text}</span>
        <span class="link-number">{link.number || "–"}</span>
        <span class="link-meaning">{cleanText(link.meaning)}</span>
      </button>
    </li>
  );
}

function Term({
  chain,
  part,
  children,
  chosen,
}: {
  chain: LinkAnswer[];
  part: Part;
  children: ComponentChildren;
  chosen: Part | null;
}) {
  const link = linkOf(chain, part);
  const state = link?.state ?? "bare";
  return (
    <span class={`term ${state}${part === chosen ? " chosen" : ""}`}>
      <var>{children}</var>
      <span class="term-number">{link && part !== "new" && part !== "old" ? link.number : ""}</span>
    </span>
  );
}

function Equation({ chain, chosen }: { chain: LinkAnswer[]; chosen: Part | null }) {
  const step = linkOf(chain, "step");
  return (
    <div class="equation" role="math" aria-label="new weight = old weight minus learning rate times gradient">
      <Term chain={chain} part="new" chosen={chosen}>
        w<sub>new</sub>
      </Term>
      <span class="op">=</span>
      <Term chain={chain} part="old" chosen={chosen}>
        w<sub>old</sub>
      </Term>
      <span class="op">−</span>
      <span class={`product ${step?.state ?? "bare"}${chosen === "step" ? " chosen" : ""}`}>
        <span class="factors">
          <Term chain={chain} part="lr" chosen={chosen}>
            lr
          </Term>
          <span class="op">·</span>
          <Term chain={chain} part="gradient" chosen={chosen}>
            gradient
          </Term>
        </span>
        {step && (
          <span class="brace">
            {step.number ? `${step.title.toLowerCase()} ${step.number}` : step.title.toLowerCase()}
          </span>
        )}
      </span>
    </div>
  );
}

/** A link's line; what the sentence at the top says already is not said again. */
function lineOf(link: LinkAnswer, overview: OverviewAnswer): string {
  const first = overview.verdicts[0];
  if (!first || !sameText(link.text, overview.sentence)) return prose(link.text);
  const after = overview.chain.filter((l) => l.state === "consequence").map((l) => l.title.toLowerCase());
  const follows =
    after.length > 0
      ? ` Its ${after.length > 1 ? "consequences" : "consequence"}: ${after.join(" and ")}.`
      : "";
  return `The chain breaks here first: ${first.name}.${follows}`;
}

export function Chain({ overview, chosen, onChoose }: Props) {
  const { chain } = overview;
  const shown = chain.find((l) => l.link === chosen) ?? chain.find((l) => l.first);
  return (
    <section aria-labelledby="chain-title">
      <h2 id="chain-title">
        {chain.some((l) => l.first) ? "Where the chain breaks" : "The chain, from data to weight"}
      </h2>
      <ol class="chain">
        {chain.map((link) => (
          <Link key={link.link} link={link} chosen={link === shown} onChoose={onChoose} />
        ))}
      </ol>
      <div class="chain-foot">
        <Equation chain={chain} chosen={shown ? partOf(shown) : null} />
        {shown && (
          <p class="link-text" aria-live="polite">
            <strong>{shown.title}.</strong> {lineOf(shown, overview)}
          </p>
        )}
      </div>
    </section>
  );
}
