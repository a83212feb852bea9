// Why the last request failed. It is repeated, so there is nothing to click.
import { useSelector } from "../state";

export function PollError() {
  const message = useSelector((s) => s.pollError);
  if (message === "") return null;
  return (
    <div class="page-error" role="status">
      {message}
    </div>
  );
}
