// Requests to the backend. Relative to this file, so that a path prefix, a proxy or a notebook changes nothing.

const BASE = import.meta.url.replace(/(static\/)?[^/]*$/, "");

export class Unanswered extends Error {}

export async function get<T>(
  route: string,
  parameters: Record<string, string>,
  signal: AbortSignal,
): Promise<T> {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) if (value !== "") query.set(key, value);
  const text = query.toString();
  let response: Response;
  try {
    response = await fetch(`${BASE}${route}${text ? `?${text}` : ""}`, {
      signal,
      credentials: "same-origin",
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Unanswered("TensorBoard does not answer; trying again.");
  }
  if (!response.ok) {
    throw new Unanswered(
      response.status >= 500
        ? `TensorBoard could not answer (${response.status}, ${route}); trying again.`
        : `TensorBoard has no such data (${response.status}, ${route}); trying again.`,
    );
  }
  return (await response.json()) as T;
}
