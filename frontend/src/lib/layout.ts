// Widths that the heat map and the curves share, so that one step stands at one x in all of them.
export const ROW = 18;
export const RIGHT = 16; // also holds the heat map's scroll bar
export const VISIBLE_ROWS = 22;

export function gutterOf(width: number): number {
  return width < 640 ? 116 : width < 880 ? 208 : 248;
}

/** How many letters of a row's name fit into the gutter. */
export function lettersOf(gutter: number): number {
  return Math.floor((gutter - 12) / 6.7);
}

export function plotWidth(width: number): number {
  return Math.max(40, width - gutterOf(width) - RIGHT);
}
