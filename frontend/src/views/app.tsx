// The page: runs on the left, the shown run on the right.
import { Component, type ComponentChildren } from "preact";
import { useSelector } from "../state";
import { RunList } from "./run-list";
import { RunPage } from "./run-page";
import { RunTable } from "./run-table";
import { Prose } from "./text-with-code";

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

function PollError() {
  const message = useSelector((s) => s.pollError);
  if (message === "") return null;
  return (
    <div class="page-error" role="status">
      {message}
    </div>
  );
}

function EmptyPage({ hint }: { hint: string }) {
  return (
    <main class="page-empty">
      <h1>No runs recorded yet</h1>
      <Prose text={hint} />
    </main>
  );
}

function Page() {
  const runs = useSelector((s) => s.runs);
  const overview = useSelector((s) => s.overview?.answer);
  const view = useSelector((s) => s.selection.view);
  const isLoading = useSelector((s) => s.pollError === "");
  if (runs && runs.runs.length === 0) return <EmptyPage hint={runs.hint} />;
  return (
    <div class="page-columns">
      <RunList />
      <main class="page-main">
        {view !== "" ? (
          <RunTable />
        ) : overview ? (
          <RunPage overview={overview} />
        ) : (
          <p class="page-empty">{isLoading && "Loading runs …"}</p>
        )}
      </main>
    </div>
  );
}

export function App({ onError }: Props) {
  return (
    <ErrorBoundary onError={onError}>
      <PollError />
      <Page />
    </ErrorBoundary>
  );
}
