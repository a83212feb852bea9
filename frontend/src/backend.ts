// Requests to the plugin's backend. Addresses are relative to this file, so path prefixes, proxies and notebooks work.

const BASE = import.meta.url.replace(/(static\/)?[^/]*$/, "");

/** The backend's routes that the panel uses; `dev/server.mjs` serves the same. */
export const ROUTES = [
  "runs",
  "overview",
  "heatmap",
  "curves",
  "maps",
  "compare",
  "explanation",
  "table",
] as const;
export type Route = (typeof ROUTES)[number];

/** A request without a usable answer. Its message is shown to the user. */
export class RequestError extends Error {}

/** Gets an answer of the backend. Parameters that are "" are left out. */
export async function get<T>(
  route: Route,
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
      cache: "no-cache", // the browser revalidates what it holds, and an unchanged answer comes without its body
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new RequestError("Can't reach TensorBoard, retrying");
  }
  if (!response.ok)
    throw new RequestError(`TensorBoard returned status ${response.status} for "${route}", retrying`);
  return (await response.json()) as T;
}
