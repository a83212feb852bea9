// Everything that the panel knows about the page around it. TensorBoard gives plugins no interface for theme,
// visibility and address, so they are read from the parent document. If that is out of reach, the panel does without.
import { type Selection, sameSelection } from "./lib/selection";
import { isOwnHash, parseHash, writeHash } from "./lib/url";

function attempt<T>(read: () => T): T | null {
  try {
    return read() ?? null;
  } catch {
    return null; // the page around is of another origin
  }
}

const embedded = window.parent !== window;

function parentDocument(): Document | null {
  return embedded ? attempt(() => window.parent.document) : null;
}

// --- theme

/** TensorBoard marks its dark mode by a class; elsewhere the browser's preference counts. */
export function watchTheme(apply: (dark: boolean) => void): void {
  const parent = parentDocument();
  const media = window.matchMedia("(prefers-color-scheme: dark)");
  const inTensorBoard = parent?.querySelector("tb-webapp") != null;
  const read = () => apply(parent?.body.classList.contains("dark-mode") || (!inTensorBoard && media.matches));
  if (parent)
    new MutationObserver(read).observe(parent.body, { attributes: true, attributeFilter: ["class"] });
  media.addEventListener("change", read);
  read();
}

// --- visibility

/** In a hidden tab of TensorBoard the frame stays alive at height 0, and `document.hidden` is false. */
export function isVisible(): boolean {
  if (document.hidden) return false;
  const frame = attempt(() => window.frameElement as HTMLElement | null);
  return frame ? frame.offsetHeight > 0 : true;
}

export function onVisible(wake: () => void): void {
  let before = isVisible();
  const check = () => {
    const now = isVisible();
    if (now && !before) wake();
    before = now;
  };
  document.addEventListener("visibilitychange", check);
  window.addEventListener("resize", check);
  const frame = attempt(() => window.frameElement);
  if (frame)
    new MutationObserver(check).observe(frame, { attributes: true, attributeFilter: ["style", "class"] });
}

// --- messages

interface Message {
  type: string;
  id: string;
  payload: unknown;
  error: unknown;
  isReply: boolean;
}

/** Calls `reload` when TensorBoard has reloaded its data. TensorBoard expects a reply to each of its messages. */
export function onDataReloaded(reload: () => void): void {
  if (!embedded) return;
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = (event: MessageEvent) => {
    const message = attempt(() => JSON.parse(String(event.data)) as Message);
    if (!message || message.isReply) return;
    port1.postMessage(
      JSON.stringify({ type: message.type, id: message.id, payload: null, error: null, isReply: true }),
    );
    if (message.type === "experimental.DataReloaded") reload();
  };
  attempt(() => window.parent.postMessage("experimental.bootstrap", "*", [port2]));
}

// --- address

function hash(): string {
  const parentHash = embedded ? attempt(() => window.parent.location.hash) : null;
  return parentHash ?? window.location.hash;
}

export function readAddress(): Selection {
  return parseHash(hash());
}

/** The window whose address holds the selection; null if it must not be written. */
function addressWindow(): Window | null {
  if (!embedded) return window;
  const parent = window.parent as Window & { tensorboard?: { tf_storage?: unknown } };
  return attempt(() => (parent.tensorboard?.tf_storage ? parent : null)); // another page's address is not ours
}

let lastHash = ""; // that was read or written here

/**
 * Writes the selection into the address, as a new entry of the browser's history or into the present one. Returns
 * whether it was written: not if the address holds it already, or must not be written.
 */
export function writeAddress(selection: Selection, newEntry: boolean): boolean {
  const target = addressWindow();
  if (!target || sameSelection(readAddress(), selection)) return false;
  const written = attempt(() => {
    const url = new URL(target.location.href);
    url.hash = writeHash(url.hash, selection);
    // Both in the way in which TensorBoard writes its address, so that it follows.
    if (newEntry) target.location.hash = url.hash;
    else target.history.replaceState(target.history.state, "", url);
    lastHash = target.location.hash;
    return true;
  });
  return written ?? false;
}

/** Calls `apply` when something else (a pasted link, back and forward) changed the panel's part of the address. */
export function onAddress(apply: (selection: Selection) => void): void {
  lastHash = hash();
  const target = embedded && attempt(() => window.parent.location.hash) !== null ? window.parent : window;
  target.addEventListener("hashchange", () => {
    const now = hash();
    if (now === lastHash) return;
    lastHash = now;
    if (isOwnHash(now)) apply(parseHash(now)); // the address of another tab changes nothing
  });
}
