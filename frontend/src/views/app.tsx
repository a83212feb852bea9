// The page: runs on the left; on the right the sentence, the chain, the heat map, the curves, and what else was checked.
import { Component, type ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { OverviewAnswer } from "../lib/api";
import { spanOf, zoomed } from "../lib/buckets";
import { commonDomain } from "../lib/row-arrangement";
import { type Held, type Other, type State, useAppState } from "../state";
import { Chain } from "./chain";
import { Checks, Footer } from "./check-list";
import { OtherMaps } from "./compared-heatmaps";
import { Curves } from "./curve-list";
import { Answer, Others } from "./diagnosis-card";
import { HeatMap } from "./heatmap";
import { Compare } from "./run-comparison";
import { RunList } from "./run-list";
import { Prose } from "./suggested-fix";
import { Pictures } from "./variable-maps";
import { reveal } from "./verdict";

interface Props {
  onError: (error: unknown) => void;
}

const NOBODY: Other[] = [];

function Foot({ overview }: { overview: OverviewAnswer }) {
  return (
    <>
      <Checks overview={overview} />
      <Footer overview={overview} />
    </>
  );
}

function Main({ state, overview }: { state: State; overview: Held<OverviewAnswer> }) {
  const [link, setLink] = useState("");
  const { map, runCurves, curves, dark, shown } = state;
  const { answer } = overview;
  const columns = map?.answer ?? null;
  const others = state.others?.runs ?? NOBODY;
  const [first, last] = columns?.whole ?? [];
  const ends = [first ?? 1, ...others.flatMap((o) => o.map?.whole ?? [])];
  const whole = spanOf([Math.min(...ends)], [Math.max(last ?? answer.last_step, ...ends)]);
  const span = zoomed(whole, shown.from, shown.to);
  const compared = useMemo(() => others.map((o) => o.runCurves), [others]);
  const sameCurves = useMemo(() => others.flatMap((o) => (o.curves ? [o.curves] : [])), [others]);
  const maps = columns ? [columns, ...others.flatMap((o) => (o.map ? [o.map] : []))] : [];
  const map0 = useMemo(
    () => (columns ? { ...columns, domain: commonDomain(maps) } : null),
    [columns, others],
  );
  const comparing = { map: columns, others, shown, span, whole, dark };
  const pickLink = (name: string, codes: number[]) => {
    setLink(name);
    if (codes[0] !== undefined) reveal(codes[0]);
  };
  // What does not follow the axis is not looked at again while the axis moves.
  const top = useMemo(
    () =>
      others.length > 0 ? (
        <Compare overview={answer} others={others} dark={dark} />
      ) : (
        <>
          <Answer overview={answer} />
          <Chain key={overview.key} overview={answer} chosen={link} onChoose={pickLink} />
          <Others overview={answer} />
        </>
      ),
    [answer, others, dark, link],
  );
  const foot = useMemo(() => <Foot overview={answer} />, [answer]);
  return (
    <div class={state.busy ? "busy" : ""}>
      {top}
      {runCurves && (
        <Curves
          title="The run"
          part="lead"
          answer={runCurves.answer}
          others={compared}
          span={span}
          dark={dark}
        />
      )}
      <HeatMap overview={answer} map={map0} shown={shown} span={span} whole={whole} dark={dark} />
      {others.length > 0 && <OtherMaps {...comparing} />}
      {curves && (
        <Curves
          title="Curves of"
          part="all"
          answer={curves.answer}
          others={sameCurves}
          span={span}
          dark={dark}
        />
      )}
      {state.maps && curves?.answer.name === state.maps.answer.name && (
        <Pictures key={state.maps.answer.name} answer={state.maps.answer} dark={dark} />
      )}
      {runCurves && (
        <Curves title="More of the run" part="rest" answer={runCurves.answer} span={span} dark={dark} />
      )}
      {foot}
    </div>
  );
}

/** Hands an error of any view to the page's own error drawing. */
class Guard extends Component<Props & { children: ComponentChildren }> {
  override componentDidCatch(error: unknown): void {
    this.props.onError(error);
  }
  override render() {
    return this.props.children;
  }
}

function Page() {
  const state = useAppState();
  const none = state.runs !== null && state.runs.runs.length === 0;
  return (
    <div class="page">
      {state.trouble !== "" && (
        <div class="trouble" role="status">
          {state.trouble}
        </div>
      )}
      {none ? (
        <main class="empty">
          <h1>No recorded run yet</h1>
          <Prose text={state.runs?.hint ?? ""} />
        </main>
      ) : (
        <div class="columns">
          <RunList
            runs={state.runs?.runs ?? []}
            shown={state.shown}
            current={state.overview?.answer ?? null}
          />
          <main>
            {state.overview ? (
              <Main state={state} overview={state.overview} />
            ) : (
              <p class="empty">{state.trouble ? "" : "Reading the recorded runs …"}</p>
            )}
          </main>
        </div>
      )}
    </div>
  );
}

export function App({ onError }: Props) {
  return (
    <Guard onError={onError}>
      <Page />
    </Guard>
  );
}
