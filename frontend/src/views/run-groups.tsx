// For each answer: how many runs have it, and the settings that set them apart from the others.
import type { SettingColumn } from "../lib/api-table";
import { cleanName, formatCount, plural, prose } from "../lib/format";
import type { AnswerGroup, Pattern } from "../lib/setting-patterns";
import { lookOf, StatusIcon } from "./status-icon";

function Setting({ pattern: { setting, values } }: { pattern: Pattern }) {
  return (
    <>
      <strong class="run-groups-setting">
        {cleanName(setting.label)} {cleanName(values)}
      </strong>
      {setting.also.length > 0 && (
        <span class="quiet" title={setting.also.join("\n")}>
          {" "}
          (with {plural(setting.also.length, "setting")} that{" "}
          {setting.also.length === 1 ? "changes" : "change"} with it)
        </span>
      )}
    </>
  );
}

/** How many runs have the values: of the answer, and of the others. */
function Counts({ pattern: { inside, group, outside, others } }: { pattern: Pattern }) {
  const count = inside === group ? "all of them" : `${formatCount(inside)} of these ${formatCount(group)}`;
  const rest =
    outside === 0 ? "and no other run" : `and ${formatCount(outside)} of the ${formatCount(others)} others`;
  return (
    <span class="quiet">
      {" "}
      ({count}, {rest})
    </span>
  );
}

function Patterns({ group, settings }: { group: AnswerGroup; settings: readonly SettingColumn[] }) {
  const { patterns, tooFew } = group;
  if (patterns.length === 0 && settings.length === 0) return <span class="quiet">the same settings</span>;
  const them = group.rows.length === 1 ? "it" : "them";
  if (patterns.length === 0)
    return (
      <span class="quiet">
        {tooFew
          ? `too few runs to say which setting sets ${them} apart`
          : `no setting sets ${them} apart from the others`}
      </span>
    );
  return (
    <>
      {patterns.map((pattern, i) => (
        <span key={pattern.setting.name}>
          {i > 0 && " or "}
          <Setting pattern={pattern} />
          <Counts pattern={pattern} />
        </span>
      ))}
      {patterns.length > 1 && <span class="quiet">: these runs cannot tell which of them</span>}
    </>
  );
}

interface Props {
  groups: readonly AnswerGroup[];
  settings: readonly SettingColumn[];
}

export function RunGroups({ groups, settings }: Props) {
  return (
    <ul class="run-groups" aria-label="Settings that go with each answer">
      {groups.map((group) => {
        const [{ status, severity } = { status: "undecided", severity: "none" } as const] = group.rows;
        return (
          <li key={group.headline}>
            <StatusIcon look={lookOf(status, severity)} />
            <div>
              <strong>{prose(cleanName(group.headline))}</strong>: {plural(group.rows.length, "run")}
              {groups.length > 1 && (
                <>
                  {", "}
                  <Patterns group={group} settings={settings} />
                </>
              )}
            </div>
          </li>
        );
      })}
    </ul>
  );
}
