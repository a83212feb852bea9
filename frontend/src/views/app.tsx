// The page: runs on the left; on the right the sentence, the chain, the heat map, the curves, and what else was checked.
import { Component, type ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { spanOf } from "../lib/buckets";
import { type State, useAppState } from "../state";
import { Answer, Others } from "./answer";
import { Chain } from "./chain";
import { Checks, Footer } from "./checks";
import { Curves } from "./curves";
import { Prose } from "./fix";
import { HeatMap } from "./heatmap";
import { RunList } from "./runlist";
import { reveal } from "./verdict";

interface Props {
  onError: (error: unknown) => void;
}

function Main({ state }: { state: State }) {
  const [link, setLink] = useState("");
  const { overview, map, runCurves, curves, dark, shown } = state;
  if (!overview) return <p class="empty">{state.trouble ? "" : "Reading the recorded runs …"}</p>;
  const { answer } = overview;
  const columns = map?.answer ?? null;
  const span = spanOf(columns?.first ?? [1], columns?.last ?? [answer.last_step]);
  const pickLink = (name: string, codes: number[]) => {
    setLink(name);
    if (codes[0] !== undefined) reveal(codes[0]);
  };
  return (
    <div class={state.busy ? "busy" : ""}>
      <Answer overview={answer} />
      <Chain key={overview.key} overview={answer} chosen={link} onChoose={pickLink} />
      <Others overview={answer} />
      <HeatMap overview={answer} map={columns} shown={shown} span={span} dark={dark} />
      {curves && <Curves title="Curves of" answer={curves.answer} span={span} dark={dark} />}
      {runCurves && <Curves title="The whole run" answer={runCurves.answer} span={span} dark={dark} />}
      <Checks overview={answer} />
      <Footer overview={answer} />
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
            <Main state={state} />
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
