// The motion map: where in the variable something moves, step by step; dead rows and frozen columns at a glance.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { cellSize, paintMotion } from "../draw/motion-map";
import type { MotionAnswer } from "../lib/api";
import { viridisGradient } from "../lib/colour";
import { cleanText, formatCell, formatCount, formatNumber } from "../lib/format";
import { Tools } from "./export-buttons";

/** "row 5", or "rows 5–6 of 128" where a part of the picture stands for several. */
export function lines(word: string, at: number, per: number, whole: number): string {
  const [first, last] = [at * per, Math.min(whole, (at + 1) * per) - 1];
  return first >= last
    ? `${word} ${formatCount(first)}`
    : `${word}s ${formatCount(first)}–${formatCount(last)}`;
}

interface Spot {
  row: number;
  column: number;
}

const MOVES: Record<string, Spot> = {
  ArrowUp: { row: -1, column: 0 },
  ArrowDown: { row: 1, column: 0 },
  ArrowLeft: { row: 0, column: -1 },
  ArrowRight: { row: 0, column: 1 },
};

interface Props {
  motion: MotionAnswer;
  at: number; // the step's place among the frames
  dark: boolean;
  room: number;
}

export function Motion({ motion, at, dark, room }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [spot, setSpot] = useState<Spot>({ row: 0, column: 0 });
  const frame = motion.frames[Math.min(at, motion.frames.length - 1)];
  const [wide, high] = frame ? cellSize(frame, room) : [1, 1];
  useLayoutEffect(() => {
    if (canvas.current && frame) paintMotion(canvas.current, motion, frame, [wide, high], dark);
  }, [motion, frame, wide, high, dark]);
  if (!frame) return null;
  const [rows, columns] = [frame.values.length, frame.values[0]?.length ?? 1];
  const inside = ({ row, column }: Spot) => ({
    row: Math.max(0, Math.min(rows - 1, row)),
    column: Math.max(0, Math.min(columns - 1, column)),
  });
  const onPointerMove = (event: PointerEvent) => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const place = { row: (event.clientY - box.top) / high, column: (event.clientX - box.left) / wide };
    setSpot(inside({ row: Math.floor(place.row), column: Math.floor(place.column) }));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const by = MOVES[event.key];
    if (!by) return;
    event.preventDefault();
    setSpot(inside({ row: spot.row + by.row, column: spot.column + by.column }));
  };
  const { row, column } = inside(spot);
  const where = `${lines("row", row, motion.per_row, motion.rows)}, ${lines("column", column, motion.per_column, motion.columns)}`;
  return (
    <figure class="motion">
      <figcaption>
        <strong>{cleanText(motion.title)}</strong>{" "}
        <Tools name={`${motion.kind} step ${frame.step}`} table={() => frame.values} />
        <span class="quiet">
          {formatCount(motion.rows)} rows × {formatCount(motion.columns)} columns, step{" "}
          {formatCount(frame.step)}
        </span>
      </figcaption>
      {/* biome-ignore lint/a11y/useSemanticElements: no form field */}
      <div
        class="motion-box"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the read-out follows the arrow keys
        tabIndex={0}
        role="group"
        aria-label={`${cleanText(motion.meaning)}; arrow keys read it`}
        onPointerMove={onPointerMove}
        onKeyDown={onKeyDown}
        style={{ width: `${wide * columns}px` }}
      >
        <canvas ref={canvas} style={{ width: `${wide * columns}px`, height: `${high * rows}px` }} />
        <div
          class="motion-spot"
          style={{
            left: `${column * wide}px`,
            top: `${row * high}px`,
            width: `${wide}px`,
            height: `${high}px`,
          }}
        />
      </div>
      <p class="motion-read" aria-live="polite">
        {where}: <strong>{formatCell(frame.values[row]?.[column])}</strong>
      </p>
      {motion.domain && (
        <p class="motion-scale quiet">
          {formatNumber(motion.domain[0])} <span class="bar" style={{ background: viridisGradient() }} />{" "}
          {formatNumber(motion.domain[1])}, log scale; black: exactly 0
        </p>
      )}
      {frame.text && <p>{cleanText(frame.text)}</p>}
    </figure>
  );
}
