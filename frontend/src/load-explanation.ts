// Loads explanations when they are asked for; they never change while the page is open.
import { get } from "./backend";
import type { ExplanationAnswer } from "./lib/api";
import { type Explained, parametersOf } from "./lib/explained";

const loaded = new Map<string, Promise<ExplanationAnswer>>();

/** Returns an explanation, at once if it was loaded before. One that could not be loaded is requested again. */
export function loadExplanation(explained: Explained): Promise<ExplanationAnswer> {
  const parameters = parametersOf(explained);
  const key = JSON.stringify(parameters);
  const known = loaded.get(key);
  if (known) return known;
  const request = get<ExplanationAnswer>("explanation", parameters, new AbortController().signal);
  request.catch(() => loaded.delete(key));
  loaded.set(key, request);
  return request;
}
