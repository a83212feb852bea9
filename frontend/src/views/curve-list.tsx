// The curves of the run, or of the chosen variable, one below the other on one step axis.
import { useMemo, useState } from "preact/hooks";
import type { CurvesAnswer } from "../lib/api";
import { curvesTable } from "../lib/csv";
import { cleanName, plural } from "../lib/format";
import { lastSlot, slotText, stepsOf } from "../lib/slots";
import { type ComparedRun, useSelector } from "../state";
import { CurveChart } from "./curve-chart";
import { ExportButtons } from "./export-buttons";
import { useAxis, useComparedRuns } from "./use-axis";
import { useCursorSlot } from "./use-cursor-slot";
import { useWidth } from "./use-width";

interface Props {
  title: string;
  part: "lead" | "rest" | "all"; // "all": the leading ones, the rest on request
  answer: CurvesAnswer;
  comparedOf: (run: ComparedRun) => CurvesAnswer | null; // the same curves of a compared run
}

/** For each curve, the curves of the same quantity of the compared runs. */
function useComparedCurves({ answer, comparedOf, part }: Props) {
  const runs = useComparedRuns();
  return useMemo(() => {
    const answers = part === "rest" ? [] : runs.flatMap((run) => comparedOf(run) ?? []);
    const sameQuantity = (name: string) =>
      answers.flatMap(({ curves, ...buckets }) => {
        const curve = curves.find((c) => c.quantity.name === name);
        return curve ? [{ ...buckets, curve }] : [];
      });
    return new Map(answer.curves.map((c) => [c.quantity.name, sameQuantity(c.quantity.name)]));
  }, [answer, comparedOf, part, runs]);
}

function Charts({ answer, ...props }: Props) {
  const { span } = useAxis();
  const dark = useSelector((s) => s.dark);
  const compared = useComparedCurves({ answer, ...props });
  const { ref, width } = useWidth<HTMLDivElement>();
  const { curves, covered, first, last, recorded, steps } = answer;
  return (
    <div ref={ref}>
      {width > 0 &&
        curves.map((curve, i) => (
          <CurveChart
            key={curve.quantity.name}
            curve={curve}
            covered={covered}
            first={first}
            last={last}
            recorded={recorded}
            steps={steps}
            span={span}
            width={width}
            dark={dark}
            axis={i === curves.length - 1}
            compared={compared.get(curve.quantity.name) ?? []}
          />
        ))}
    </div>
  );
}

/** The steps whose values the charts below show: those under the pointer, else the last ones. */
function ReadSteps({ answer }: { answer: CurvesAnswer }) {
  const slot = useCursorSlot(answer) ?? lastSlot(answer);
  return <span class="quiet curve-steps">{slot && slotText(slot)}</span>;
}

/** The answer with those curves that are visible, and how many more there are. */
function useVisible(answer: CurvesAnswer, part: Props["part"], all: boolean) {
  return useMemo(() => {
    const lead = part === "rest" ? [] : answer.curves.filter((c) => c.lead);
    const rest = part === "lead" ? [] : answer.curves.filter((c) => !c.lead);
    const curves = all || lead.length === 0 ? [...lead, ...rest] : lead;
    return { visible: { ...answer, curves }, foldable: lead.length > 0 ? rest.length : 0 };
  }, [answer, part, all]);
}

export function CurveList(props: Props) {
  const { title, answer, part } = props;
  const [all, setAll] = useState(false);
  const { visible, foldable } = useVisible(answer, part, all);
  const isEmpty = visible.curves.length === 0;
  if (part === "rest" && isEmpty) return null;
  return (
    <section class="panel-section curve-list">
      <div class="section-head">
        <h2 class="section-grow">
          {title} {answer.name !== "" && <span class="variable-name">{cleanName(answer.name)}</span>}
        </h2>
        <ReadSteps answer={answer} />
        <ExportButtons
          name={answer.name || title}
          steps={stepsOf(answer)}
          table={() => curvesTable(visible)}
        />
      </div>
      <Charts {...props} answer={visible} />
      {isEmpty && <p class="quiet">No data recorded</p>}
      {foldable > 0 && (
        <button type="button" class="text-button" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? "Show fewer" : `Show ${plural(foldable, "more curve")}`}
        </button>
      )}
    </section>
  );
}
