// A text of the backend as a sentence, in which no number breaks at the minus of its exponent.
import { sentence } from "../lib/format";

const NUMBER = /(\d[\d.]*e-\d+(?:\u00a0%)?)/;

export function Sentence({ text }: { text: string }) {
  return (
    <>
      {sentence(text)
        .split(NUMBER) // the numbers are at odd places
        .map((part, i) =>
          i % 2 === 1 ? (
            <span key={i} class="unbroken">
              {part}
            </span>
          ) : (
            part
          ),
        )}
    </>
  );
}
