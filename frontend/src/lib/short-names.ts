// Names that are too long for a list, cut so that they still tell apart what they name.
import { ellipsis } from "./format";

const HEAD = 5; // letters that a name keeps where its beginning is the same in all names

/** The words of a name, each with the separator after it: "lr-0.1/seed" -> ["lr-", "0.", "1/", "seed"]. */
function wordsOf(name: string): string[] {
  return name.split(/(?<=[/_\-.,=\s])/);
}

/** The kept words, with an ellipsis for those between them. */
function joined(words: readonly string[], isKept: (word: number) => boolean): string {
  let text = isKept(0) ? "" : `${words.join("").slice(0, HEAD)}…`;
  words.forEach((word, i) => {
    if (isKept(i)) text += word;
    else if (!text.endsWith("…")) text = `${text.replace(/[/_\-.,=\s]$/, "")}…`;
  });
  return text;
}

/** The words that differ between names of equally many words, each with the word before it where there is room. */
function differingWords(names: readonly string[], limit: number): string[] {
  const words = names.map(wordsOf);
  const first = words[0] as string[];
  const differs = first.map((word, i) => words.some((other) => other[i] !== word));
  const withContext = words.map((w) => joined(w, (i) => Boolean(differs[i] || differs[i + 1])));
  if (withContext.every((text) => text.length <= limit)) return withContext;
  return words.map((w) => joined(w, (i) => Boolean(differs[i])));
}

function allDiffer(names: readonly string[]): boolean {
  return new Set(names).size === names.length;
}

/** The names of one group, cut in the middle, or to what differs between them if that tells them apart better. */
function cutNames(names: readonly string[], limit: number): string[] {
  const cut = names.map((name) => ellipsis(name, limit));
  if (allDiffer(cut)) return cut;
  return differingWords(names, limit).map((text, i) => (text.length <= limit ? text : (cut[i] as string)));
}

/** [N] The names, each with at most `limit` letters. Different names stay different, even if they must be longer. */
export function shortNames(names: readonly string[], limit: number): string[] {
  const short = new Map<string, string>();
  const groups = new Map<string, string[]>(); // long names that begin alike
  for (const name of new Set(names)) {
    if (name.length <= limit) short.set(name, name);
    const words = wordsOf(name);
    const alike = `${words.length} ${words[0]}`;
    if (name.length > limit) groups.set(alike, [...(groups.get(alike) ?? []), name]);
  }
  for (const group of groups.values()) {
    const cut = cutNames(group, limit);
    group.forEach((name, i) => {
      short.set(name, cut[i] as string);
    });
  }
  const uses = new Map<string, number>();
  for (const text of short.values()) uses.set(text, (uses.get(text) ?? 0) + 1);
  return names.map((name) => {
    const text = short.get(name) as string;
    return (uses.get(text) ?? 0) > 1 ? name : text;
  });
}
