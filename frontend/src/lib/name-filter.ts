// The filters of runs and variables by name: a text, a glob ("dense_*/kernel") or a regular expression.

export interface NameFilter {
  kind: "none" | "text" | "glob" | "regex" | "invalid";
  error: string; // for the user; "" unless `kind` is "invalid"
  matches: (name: string) => boolean; // letters are compared without their case
}

/** What the letters of a pattern say of its kind. */
function kindOf(pattern: string): "text" | "glob" | "regex" {
  if (/[\\^$|(){}+]|\.[*?]/.test(pattern)) return "regex"; // a glob has none of these
  if (/[*?]/.test(pattern)) return "glob";
  return pattern.includes("[") ? "regex" : "text";
}

/** A glob as a regular expression. It must match whole parts of a path: "dense_*" does not match "my_dense_1". */
function globSource(glob: string): string {
  const letters = [...glob];
  let source = "";
  for (let i = 0; i < letters.length; i++) {
    const letter = letters[i] as string;
    const end = letter === "[" ? letters.indexOf("]", i + 2) : -1;
    if (end > 0) {
      const set = letters
        .slice(i + 1, end)
        .join("")
        .replace(/^!/, "^");
      source += `[${set}]`;
      i = end;
    } else if (letter === "*") source += ".*";
    else if (letter === "?") source += ".";
    else source += letter.replace(/[[\].]/, "\\$&");
  }
  return `(?:^|/)${source}(?:$|/)`;
}

/** Reads what the user typed. An invalid pattern matches every name, so that it filters nothing. */
export function parseNameFilter(typed: string): NameFilter {
  const text = typed.trim();
  if (text === "") return { kind: "none", error: "", matches: () => true };
  const kind = kindOf(text);
  const contains = (name: string) => name.toLowerCase().includes(text.toLowerCase());
  if (kind === "text") return { kind, error: "", matches: contains };
  try {
    const pattern = new RegExp(kind === "glob" ? globSource(text) : text, "i");
    // A name may contain such characters itself.
    return { kind, error: "", matches: (name) => pattern.test(name) || contains(name) };
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^.*: /s, "") : String(error);
    return {
      kind: "invalid",
      error: `Invalid ${kind === "glob" ? "glob" : "regular expression"}: ${reason}`,
      matches: () => true,
    };
  }
}
