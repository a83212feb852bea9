// Names that are too long for a list, cut in the middle so that they still tell apart what they name.
import { ellipsis } from "./format";

const HEAD = 5; // letters before the first cut of a name that is cut twice
const BACK = 8; // letters before the first difference, to show the word that it is in

/** The number of letters that all names begin with. */
function sharedLetters(names: readonly string[]): number {
  const [first = "", ...rest] = names;
  let count = 0;
  while (count < first.length && rest.every((name) => name[count] === first[count])) count++;
  return count;
}

/** The beginning of a name, the part in which it differs from others, and its end. */
function cutTwice(name: string, limit: number, difference: number): string {
  const word = name.slice(0, difference).search(/[^/_\-.,=\s]*$/);
  const start = Math.max(HEAD, word, difference - BACK);
  const room = limit - HEAD - 2;
  if (name.length - start <= room + 1) return ellipsis(name, limit);
  const middle = name.slice(start, start + Math.ceil(room * 0.6));
  return `${name.slice(0, HEAD)}…${middle}…${name.slice(name.length - (room - middle.length))}`;
}

/** [N] The names, each with at most `limit` letters. Different names stay different, even if they must be longer. */
export function shortNames(names: readonly string[], limit: number): string[] {
  const groups = new Map<string, string[]>(); // different names that a cut in the middle makes equal
  for (const name of new Set(names)) {
    const short = ellipsis(name, limit);
    groups.set(short, [...(groups.get(short) ?? []), name]);
  }
  const result = new Map<string, string>();
  for (const [short, group] of groups) {
    const difference = sharedLetters(group);
    const cut = group.length === 1 ? [short] : group.map((name) => cutTwice(name, limit, difference));
    const differ = new Set(cut).size === group.length;
    group.forEach((name, i) => {
      result.set(name, differ ? (cut[i] as string) : name);
    });
  }
  return names.map((name) => result.get(name) as string);
}
