// Rows of the table of all runs, for tests.
import type { LinkCell, RunTableRow, SettingColumn } from "../src/lib/api-table";

export const link = (state: LinkCell["state"], number: string, first = false): LinkCell => ({
  link: "loss",
  title: "Loss",
  state,
  state_text: state,
  number,
  meaning: "loss of the last batch",
  text: "",
  first,
});

export function row(label: string, values: Partial<RunTableRow> = {}): RunTableRow {
  const sick = { status: "sick", severity: "error", headline: "vanishing-gradient" } as const;
  return {
    run: label,
    label,
    launch: "a",
    started: 0,
    state: "ended",
    state_text: "ended after 96 steps",
    last_step: 96,
    links: [link("ok", "0.5")],
    loss: 0.5,
    settings: [],
    ...sick,
    ...values,
  };
}

export const HEALTHY = { status: "healthy", severity: "none", headline: "healthy" } as const;
export const column = (name: string): SettingColumn => ({ name, label: name, also: [] });
