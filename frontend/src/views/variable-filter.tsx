// The search box for the rows of the heat map.
import { useMemo } from "preact/hooks";
import { select } from "../actions";
import { cleanName, formatCount } from "../lib/format";
import { useSelector } from "../state";
import { NameFilterBox, useNameFilter } from "./name-filter";

const MIN_ROWS = 4;

/** `names`: of all rows. */
export function VariableFilter({ names }: { names: readonly string[] }) {
  const text = useSelector((s) => s.shown.variableFilter);
  const filter = useNameFilter(text);
  const count = useMemo(
    () => names.filter((name) => filter.matches(cleanName(name))).length,
    [names, filter],
  );
  if (names.length < MIN_ROWS && text === "") return null;
  return (
    <div class="variable-filter">
      <NameFilterBox
        label="Search variables"
        text={text}
        filter={filter}
        matching={`${formatCount(count)} of ${formatCount(names.length)}`}
        onText={(typed) => select({ variableFilter: typed }, "typing")}
      />
    </div>
  );
}
