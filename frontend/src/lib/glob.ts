// Globs: "*" stands for any letters, "?" for one, "[a-c]" for one of a set, "[!a-c]" for one that is not in it.

/** One letter of a name: this letter, or one that the function accepts. */
type Token = string | ((letter: string) => boolean);
const STAR: Token = "**"; // no single letter

const anyLetter = () => true;

/** Raises a SyntaxError for a range such as "z-a". */
function setToken(letters: readonly string[]): Token {
  const set = letters.join("").replace(/^!/, "^").replace(/\]/g, "\\]");
  const pattern = new RegExp(`^[${set}]$`, "iu");
  return (letter) => pattern.test(letter);
}

function tokensOf(glob: string): Token[] {
  const letters = [...glob];
  const tokens: Token[] = [];
  for (let i = 0; i < letters.length; i++) {
    const letter = letters[i] as string;
    const end = letter === "[" ? letters.indexOf("]", i + 2) : -1;
    if (end > 0) {
      tokens.push(setToken(letters.slice(i + 1, end)));
      i = end;
    } else if (letter === "*") tokens.push(STAR);
    else tokens.push(letter === "?" ? anyLetter : letter);
  }
  return tokens;
}

/** Whether the tokens match all letters. Only the last star is tried again, so no pattern takes exponential time. */
function matchesAll(tokens: readonly Token[], letters: readonly string[]): boolean {
  let [token, letter, star, starred] = [0, 0, -1, 0];
  while (letter < letters.length) {
    const [wanted, is] = [tokens[token], letters[letter] as string];
    if (wanted === STAR) {
      [star, starred] = [token, letter];
      token++;
    } else if (typeof wanted === "function" ? wanted(is) : wanted === is) {
      token++;
      letter++;
    } else if (star >= 0) {
      starred++;
      [token, letter] = [star + 1, starred];
    } else return false;
  }
  return tokens.slice(token).every((rest) => rest === STAR);
}

/**
 * Returns whether a name matches the glob, without the case of its letters. The glob must match whole parts of a path:
 * "dense_*" does not match "my_dense_1". Raises a SyntaxError for an invalid set.
 */
export function parseGlob(glob: string): (name: string) => boolean {
  const tokens = [STAR, "/", ...tokensOf(glob.toLowerCase()), "/", STAR];
  return (name) => matchesAll(tokens, [...`/${name.toLowerCase()}/`]);
}
