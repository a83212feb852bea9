// The backend's answer about all runs at once.
import type { LaunchEntry, LinkAnswer } from "./api";
import type { Cell } from "./api-values";

/** GET table: all runs, each by its newest launch */
export interface RunTableAnswer {
  pending: number; // rows that are not up to date yet; the next request goes on with them
  settings: SettingColumn[]; // that differ between runs
  settings_left_out: number; // that differ, too
  rows: RunTableRow[]; // sorted by name
}

export interface RunTableRow extends LaunchEntry {
  run: string;
  label: string;
  links: LinkCell[]; // as in an overview; empty if the run was not read yet
  loss: Cell; // the mean of the last eighth of the losses; null if it was not recorded
  settings: (string | null)[]; // in the order of the columns. "": none, or off; null: not recorded
}

export type LinkCell = Pick<
  LinkAnswer,
  "link" | "title" | "state" | "state_text" | "number" | "meaning" | "text" | "first"
>;

export interface SettingColumn {
  name: string; // "model.layers[0].activation"
  label: string;
  also: string[]; // settings that differ between the same runs
}
