// Which regular expressions may take exponential time: the browser tries every way in which they can match.

const REPEAT = /^(?:[*+]|\{\d+(?:,\d*)?\})/;
const QUANTIFIER = /^(?:[*+?]|\{\d+(?:,\d*)?\})/;
const NO_CHOICE = /^(?:\\[\s\S]|\[(?:\\[\s\S]|[^\]\\])*\]|\((?:\?(?:<?[=!]|<[^>]*>|:))?|[\s\S])/; // one letter, set, or "("

/** Whether a group that may match in several ways is repeated: "(a+)+", "(a|b)*". `source`: valid. */
export function repeatsChoice(source: string): boolean {
  const groups = [false]; // whether each open group may match in several ways, the innermost last
  for (let rest = source; rest !== ""; ) {
    const part = (NO_CHOICE.exec(rest) as RegExpExecArray)[0];
    const inner = groups.length - 1;
    if (QUANTIFIER.test(rest) || part === "|") groups[inner] = true;
    rest = rest.slice(part.length);
    if (part.startsWith("(")) groups.push(false);
    if (part === ")") {
      const hasChoice = groups.pop() as boolean;
      if (hasChoice && REPEAT.test(rest)) return true;
      groups[groups.length - 1] ||= hasChoice;
    }
  }
  return false;
}
