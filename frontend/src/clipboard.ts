// Copies text, also where the browser's clipboard interface is missing.

interface Policies {
  featurePolicy?: { allowsFeature(name: string): boolean };
}

/** Returns whether the text was copied. */
export async function copyText(text: string): Promise<boolean> {
  try {
    // In a notebook's frame the browser forbids it, and each attempt writes an error to the console.
    if ((document as Policies).featurePolicy?.allowsFeature("clipboard-write") === false)
      throw new Error("forbidden");
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Pages over plain http have no clipboard interface; the deprecated command still works there.
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }
}
