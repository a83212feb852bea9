// Which regular expressions may keep the browser busy: it tries every way in which they can match. That takes
// exponential time where a repeated group matches in several ways, else a power of the length of the name.

const MOST_LETTERS = 200;
const MOST_UNLIMITED = 4;

const REPEAT = /^(?:[*+]|\{\d+(?:,\d*)?\})/;
const UNLIMITED = /^(?:[*+]|\{\d+,\})/;
const QUANTIFIER = /^(?:[*+?]|\{\d+(?:,\d*)?\})/;
const PART = /^(?:\\[\s\S]|\[(?:\\[\s\S]|[^\]\\])*\]|\((?:\?(?:<?[=!]|<[^>]*>|:))?|[\s\S])/; // one letter, set, or "("

/** The letters, sets, beginnings of groups and quantifiers of a valid regular expression, each with what follows it. */
function* partsOf(source: string): Generator<{ part: string; at: string; rest: string }> {
  for (let at = source; at !== ""; ) {
    const part = (PART.exec(at) as RegExpExecArray)[0];
    const rest = at.slice(part.length);
    yield { part, at, rest };
    at = rest;
  }
}

/** Whether a group that may match in several ways is repeated: "(a+)+", "(a|b)*". */
function repeatsChoice(source: string): boolean {
  const groups = [false]; // whether each open group may match in several ways, the innermost last
  for (const { part, at, rest } of partsOf(source)) {
    if (QUANTIFIER.test(at) || part === "|") groups[groups.length - 1] = true;
    if (part.startsWith("(")) groups.push(false);
    if (part === ")") {
      const hasChoice = groups.pop() as boolean;
      if (hasChoice && REPEAT.test(rest)) return true;
      groups[groups.length - 1] ||= hasChoice;
    }
  }
  return false;
}

/** Why a valid regular expression is refused; "" if it may be used. */
export function costProblem(source: string): string {
  if (source.length > MOST_LETTERS) return `longer than ${MOST_LETTERS} letters`;
  if (repeatsChoice(source)) return "a repeated group contains a repetition or alternatives itself";
  const unlimited = [...partsOf(source)].filter(({ at }) => UNLIMITED.test(at)).length;
  return unlimited > MOST_UNLIMITED ? `more than ${MOST_UNLIMITED} repetitions without a limit` : "";
}
