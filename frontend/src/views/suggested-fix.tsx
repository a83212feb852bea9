// What to do: prose, and code with a button that copies it.
import { useState } from "preact/hooks";
import { splitFix } from "../lib/format";

interface Policies {
  featurePolicy?: { allowsFeature(name: string): boolean };
}

export async function copy(text: string): Promise<boolean> {
  try {
    // In a notebook's frame the browser forbids it, and says so in the console to whoever tries.
    if ((document as Policies).featurePolicy?.allowsFeature("clipboard-write") === false)
      throw new Error("forbidden");
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

/** Text in which code stands indented by four spaces. */
export function Prose({ text }: { text: string }) {
  return (
    <>
      {splitFix(text).map((block, i) =>
        block.kind === "code" ? <Code key={i} text={block.text} /> : <p key={i}>{block.text}</p>,
      )}
    </>
  );
}

export function Fix({ fix }: { fix: string }) {
  if (fix.trim() === "") return null;
  return (
    <div class="fix">
      <p class="fix-title">What to do</p>
      <Prose text={fix} />
    </div>
  );
}
