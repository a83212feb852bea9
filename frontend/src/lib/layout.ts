// Sizes in CSS pixels that the heat map and the curves share, so that a step has the same x in all of them.
export const ROW_HEIGHT = 18;
export const RIGHT_MARGIN = 16; // also holds the heat map's scroll bar
export const VISIBLE_ROWS = 22;

/** The width of the column left of the plots, for names and axis labels. */
export function gutterWidth(width: number): number {
  return width < 640 ? 116 : width < 880 ? 208 : 248;
}

/** How many letters of a row's name fit into the gutter. */
export function lettersInGutter(gutter: number): number {
  return Math.floor((gutter - 12) / 6.7);
}

export function plotWidth(width: number): number {
  return Math.max(40, width - gutterWidth(width) - RIGHT_MARGIN);
}

/** The sizes of a heat map. */
export interface Geometry {
  gutter: number; // width of the names
  width: number; // of the plot
  height: number; // of the visible rows
  scroll: number; // height of the rows above them
}
