// What may be the cause where no verdict explains the symptoms: the suspects, the most probable first.
import type { OverviewAnswer, SuspectAnswer } from "../lib/api";
import { plural } from "../lib/format";
import { experimentOf, leadingSuspect, suspectsIntro, suspectsTitle } from "../lib/verdicts";
import { Disclosure } from "./disclosure";
import { Suspect } from "./suspect";

const MOST = 5; // the others are folded

interface ItemsProps {
  suspects: readonly SuspectAnswer[];
  overview: OverviewAnswer;
}

function Items({ suspects, overview }: ItemsProps) {
  return (
    <ol class="suspect-items">
      {suspects.map((suspect) => (
        <Suspect
          key={suspect.code}
          suspect={suspect}
          link={overview.chain.find((link) => link.link === suspect.link)?.title ?? suspect.link}
          experiment={experimentOf(overview, suspect)}
          first={suspect === overview.suspects[0]}
          fixAbove={suspect === leadingSuspect(overview)}
        />
      ))}
    </ol>
  );
}

export function SuspectList({ overview }: { overview: OverviewAnswer }) {
  const { suspects } = overview;
  const [likely, others] = [suspects.slice(0, MOST), suspects.slice(MOST)];
  if (likely.length === 0) return null;
  return (
    <div class="suspect-list">
      <h2>{suspectsTitle(suspects)}</h2>
      <p class="quiet">{suspectsIntro(suspects)}</p>
      <Items suspects={likely} overview={overview} />
      {others.length > 0 && (
        <Disclosure summary={plural(others.length, "less probable suspect")} targets={others}>
          <Items suspects={others} overview={overview} />
        </Disclosure>
      )}
    </div>
  );
}
