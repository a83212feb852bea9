// The equation of one update, with the state and the number of each term's link.
import type { ComponentChildren } from "preact";
import type { LinkAnswer } from "../lib/api";
import { linkOf, type TermName } from "../lib/equation";

interface Props {
  chain: LinkAnswer[];
  chosen: TermName | null;
}

function classOf(name: string, link: LinkAnswer | null, chosen: boolean): string {
  return `${name} ${link?.state ?? ""}${chosen ? " chosen" : ""}`;
}

function Term({ chain, chosen, name, children }: Props & { name: TermName; children: ComponentChildren }) {
  const link = linkOf(chain, name);
  const isWeight = name === "new" || name === "old"; // the number of the weight's link is none of these
  return (
    <span class={classOf("equation-term", link, name === chosen)}>
      <var>{children}</var>
      <span class="equation-number">{isWeight ? "" : link?.number}</span>
    </span>
  );
}

function Product(props: Props) {
  const update = linkOf(props.chain, "update");
  return (
    <span class={classOf("equation-product", update, props.chosen === "update")}>
      <span class="equation-factors">
        <Term {...props} name="lr">
          lr
        </Term>
        <span class="equation-operator">·</span>
        <Term {...props} name="gradient">
          gradient
        </Term>
      </span>
      {update && (
        <span class="equation-brace">{`${update.title.toLowerCase()} ${update.number}`.trimEnd()}</span>
      )}
    </span>
  );
}

export function UpdateEquation(props: Props) {
  return (
    <div class="equation" role="math" aria-label="new weight = old weight minus learning rate times gradient">
      <Term {...props} name="new">
        w<sub>new</sub>
      </Term>
      <span class="equation-operator">=</span>
      <Term {...props} name="old">
        w<sub>old</sub>
      </Term>
      <span class="equation-operator">−</span>
      <Product {...props} />
    </div>
  );
}
