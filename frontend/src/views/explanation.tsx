// The explanation of a rule or of a quantity, in a dialog at the right side of the page.
import { useLayoutEffect, useRef } from "preact/hooks";
import { closeExplanation } from "../actions";
import type { ExplanationAnswer } from "../lib/api";
import { inlineParts } from "../lib/explained";
import { cleanText, splitBlocks } from "../lib/format";
import { useSelector } from "../state";

/** Paragraphs in which words between backticks are code. */
function Paragraphs({ text }: { text: string }) {
  return (
    <>
      {splitBlocks(text).map((block, i) =>
        block.kind === "code" ? (
          <pre key={i}>{block.text}</pre>
        ) : (
          <p key={i}>
            {inlineParts(block.text).map((part, j) =>
              part.kind === "code" ? <code key={j}>{part.text}</code> : part.text,
            )}
          </p>
        ),
      )}
    </>
  );
}

function Text({ answer }: { answer: ExplanationAnswer }) {
  return (
    <>
      <p class="explanation-summary">{cleanText(answer.summary)}</p>
      {answer.sections.map(({ title, text }) => (
        <section key={title}>
          <h3>{title}</h3>
          <Paragraphs text={text} />
        </section>
      ))}
      <footer class="quiet">
        <p>
          In the documentation: <code>{answer.document}</code>
        </p>
        {answer.command !== "" && (
          <p>
            With an example of a sick and a healthy program: <code>{answer.command}</code>
          </p>
        )}
      </footer>
    </>
  );
}

/** Opens and closes the dialog. The browser returns the focus to where it was before. */
function useDialog(open: boolean) {
  const ref = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const dialog = ref.current;
    if (open && dialog && !dialog.open) dialog.showModal();
    if (!open && dialog?.open) dialog.close();
  }, [open]);
  return ref;
}

export function Explanation() {
  const explanation = useSelector((s) => s.explanation);
  const ref = useDialog(explanation !== null);
  const pressed = useRef<EventTarget | null>(null); // a selection of text may end outside of the dialog
  const answer = explanation?.answer;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog; a click outside of it does, too
    <dialog
      ref={ref}
      class="explanation"
      aria-labelledby="explanation-title"
      onClose={closeExplanation}
      onPointerDown={(event) => {
        pressed.current = event.target;
      }}
      onClick={({ target, currentTarget }) =>
        target === currentTarget && pressed.current === currentTarget && closeExplanation()
      }
    >
      {explanation && (
        <div class="explanation-body">
          <header>
            <h2 id="explanation-title">{answer ? cleanText(answer.title) : "Explanation"}</h2>
            <button type="button" class="small-button" onClick={closeExplanation}>
              Close
            </button>
          </header>
          {answer && <Text answer={answer} />}
          {explanation.problem !== "" && <p role="alert">{explanation.problem}</p>}
          {!answer && explanation.problem === "" && <p class="quiet">Loading …</p>}
        </div>
      )}
    </dialog>
  );
}
