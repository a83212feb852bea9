// The page: runs on the left, the shown run on the right.
import { Component, type ComponentChildren, type RefObject } from "preact";
import { useRef } from "preact/hooks";
import { useSelector } from "../state";
import { Explanation } from "./explanation";
import { PollError } from "./poll-error";
import { RunList } from "./run-list";
import { RunPage } from "./run-page";
import { RunSkeleton } from "./run-skeleton";
import { RunTable } from "./run-table";
import { Prose } from "./text-with-code";
import { useKeptFocus } from "./use-focus";

interface Props {
  onError: (error: unknown) => void;
}

/** Hands the error of any view to `onError`. */
class ErrorBoundary extends Component<Props & { children: ComponentChildren }> {
  override componentDidCatch(error: unknown): void {
    this.props.onError(error);
  }
  override render() {
    return this.props.children;
  }
}

function EmptyPage({ hint }: { hint: string }) {
  return (
    <main class="page-empty">
      <h1>No runs recorded yet</h1>
      <Prose text={hint} />
    </main>
  );
}

/** While a run is loaded the page keeps its height, so that the browser does not scroll. */
function useHeldHeight(isLoading: boolean): {
  ref: RefObject<HTMLElement | null>;
  minHeight: string | undefined;
} {
  const ref = useRef<HTMLElement>(null);
  const held = useRef<number | null>(null);
  // Still the page of the run before: it is drawn again after this.
  if (isLoading) held.current ??= ref.current?.offsetHeight ?? null;
  else held.current = null;
  return { ref, minHeight: held.current === null ? undefined : `${held.current}px` };
}

function Main() {
  const runs = useSelector((s) => s.runs);
  const overview = useSelector((s) => s.overview?.answer);
  const isBusy = useSelector((s) => s.busy);
  const { ref, minHeight } = useHeldHeight(!overview || isBusy);
  return (
    <main class="page-main" ref={ref} style={{ minHeight }}>
      {overview && <RunPage overview={overview} />}
      {!overview && runs && <RunSkeleton />}
      {!overview && !runs && <Loading />}
    </main>
  );
}

function TablePage() {
  return (
    <main class="page-main">
      <RunTable />
    </main>
  );
}

function Loading() {
  const isLoading = useSelector((s) => s.pollError === "");
  return <p class="page-empty">{isLoading && "Loading runs …"}</p>;
}

function Page() {
  const runs = useSelector((s) => s.runs);
  const isTable = useSelector((s) => s.selection.view !== "");
  useKeptFocus();
  if (runs && runs.runs.length === 0) return <EmptyPage hint={runs.hint} />;
  return (
    <div class="page-columns">
      <RunList />
      {isTable ? <TablePage /> : <Main />}
    </div>
  );
}

/** Where a run is shown, the error stands below its name. */
function ErrorWithoutRun() {
  const isRunShown = useSelector((s) => s.shown.run !== "" && s.selection.view === "");
  return isRunShown ? null : <PollError />;
}

export function App({ onError }: Props) {
  return (
    <ErrorBoundary onError={onError}>
      <ErrorWithoutRun />
      <Page />
      <Explanation />
    </ErrorBoundary>
  );
}
