// What to do: prose, and code with a button that copies it.
import { useState } from "preact/hooks";
import { splitFix } from "../lib/format";

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Over plain http there is no clipboard interface: the old way still works.
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

function Code({ text }: { text: string }) {
  const [label, setLabel] = useState("Copy");
  const onClick = async () => {
    setLabel((await copy(text)) ? "Copied" : "Select and copy");
    window.setTimeout(() => setLabel("Copy"), 1600);
  };
  return (
    <div class="code">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <pre tabIndex={0}>{text}</pre>
      <button type="button" class="plain" onClick={onClick} aria-live="polite">
        {label}
      </button>
    </div>
  );
}

export function Fix({ fix }: { fix: string }) {
  const blocks = splitFix(fix);
  if (blocks.length === 0) return null;
  return (
    <div class="fix">
      <h3>What to do</h3>
      {blocks.map((block, i) =>
        block.kind === "code" ? <Code key={i} text={block.text} /> : <p key={i}>{block.text}</p>,
      )}
    </div>
  );
}
