// The filters of runs and variables by name: a text, a glob ("dense_*/kernel") or a regular expression.
import { parseGlob } from "./glob";
import { costProblem } from "./regex-cost";

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

/** Raises a SyntaxError for an invalid pattern, and for one that could keep the browser busy for long. */
function parseRegex(source: string): (name: string) => boolean {
  const pattern = new RegExp(source, "i");
  const problem = costProblem(source);
  if (problem !== "") throw new SyntaxError(problem);
  return (name) => pattern.test(name);
}

/** Reads what the user typed. An invalid pattern matches every name, so that it filters nothing. */
export function parseNameFilter(typed: string): NameFilter {
  const text = typed.trim();
  if (text === "") return { kind: "none", error: "", matches: () => true };
  const kind = kindOf(text);
  const contains = (name: string) => name.toLowerCase().includes(text.toLowerCase());
  if (kind === "text") return { kind, error: "", matches: contains };
  try {
    const matches = kind === "glob" ? parseGlob(text) : parseRegex(text);
    // A name may contain such characters itself.
    return { kind, error: "", matches: (name) => contains(name) || matches(name) };
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^.*: /s, "") : String(error);
    return {
      kind: "invalid",
      error: `Invalid ${kind === "glob" ? "glob" : "regular expression"}: ${reason}`,
      matches: () => true,
    };
  }
}
