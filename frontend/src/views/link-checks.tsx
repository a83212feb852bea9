// The checks of one link by name: those that passed, and those that could not tell, with what they lacked.
import { revealRule } from "../actions";
import type { LinkAnswer, OverviewAnswer, RuleRef } from "../lib/api";
import { cleanName, cleanText } from "../lib/format";
import { inWords } from "../lib/verdicts";

function RuleButton({ rule }: { rule: RuleRef }) {
  return (
    <button
      type="button"
      class="link-check"
      title={cleanText(rule.summary)}
      onClick={() => revealRule(rule.code)}
    >
      <span class="rule-code">{rule.code}</span> {cleanName(inWords(rule.name))}
    </button>
  );
}

export function LinkChecks({ link, overview }: { link: LinkAnswer; overview: OverviewAnswer }) {
  const passed = overview.passed.filter(({ code }) => link.passed.includes(code));
  const unknown = overview.unknown.filter(({ code }) => link.unknown.includes(code));
  return (
    <div class="link-checks">
      {passed.length > 0 && (
        <p>
          <span class="link-checks-title">Passed</span>
          {passed.map((rule) => (
            <RuleButton key={rule.code} rule={rule} />
          ))}
        </p>
      )}
      {unknown.length > 0 && (
        <>
          <p class="link-checks-title">Could not tell</p>
          <ul>
            {unknown.map((rule) => (
              <li key={rule.code}>
                <RuleButton rule={rule} /> <span class="quiet">{cleanText(rule.lacked)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}
