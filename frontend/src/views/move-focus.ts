// The arrow keys, Home and End move the focus in a list of buttons. Combinations with other keys stay with the browser.
export function moveFocus(event: KeyboardEvent, selector: string): void {
  const by = { ArrowDown: 1, ArrowUp: -1, Home: -1e6, End: 1e6 }[event.key] ?? 0;
  const list = event.currentTarget as HTMLElement;
  const buttons = [...list.querySelectorAll<HTMLButtonElement>(selector)];
  const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
  if (by === 0 || at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  buttons[Math.min(buttons.length - 1, Math.max(0, at + by))]?.focus();
}
