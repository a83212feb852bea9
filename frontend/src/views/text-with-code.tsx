// Text with code in it. Each code block has a button that copies it.
import { splitBlocks } from "../lib/format";
import { useCopy } from "./use-copy";

function CodeBlock({ code }: { code: string }) {
  const { label, copy } = useCopy("Select and copy");
  return (
    <div class="code-block">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <pre tabIndex={0}>{code}</pre>
      <button type="button" class="code-block-copy" onClick={() => copy(code)} aria-live="polite">
        {label}
      </button>
    </div>
  );
}

/** Paragraphs and code blocks. Lines of code are indented by four spaces. */
export function Prose({ text }: { text: string }) {
  return (
    <>
      {splitBlocks(text).map((block, i) =>
        block.kind === "code" ? <CodeBlock key={i} code={block.text} /> : <p key={i}>{block.text}</p>,
      )}
    </>
  );
}
