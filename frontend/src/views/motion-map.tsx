// A motion map: where in the variable the values change, at one step. Dead rows and frozen columns stand out.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { cellSize, paintMotionMap } from "../draw/motion-map";
import type { FrameAnswer, MotionAnswer } from "../lib/api";
import { KIND_TEXT, kindsIn, SPECIAL_KINDS } from "../lib/cells";
import { cleanText, formatCell, formatCount, formatLines, formatNumber } from "../lib/format";
import { useSelector } from "../state";
import { ColourBar } from "./colour-bar";
import { ExportButtons } from "./export-buttons";
import { Swatch } from "./swatch";

interface Position {
  row: number;
  column: number;
}

const MOVES: Record<string, Position> = {
  ArrowUp: { row: -1, column: 0 },
  ArrowDown: { row: 1, column: 0 },
  ArrowLeft: { row: 0, column: -1 },
  ArrowRight: { row: 0, column: 1 },
};

interface GridProps {
  motion: MotionAnswer;
  frame: FrameAnswer;
  size: readonly [width: number, height: number]; // of a cell
  active: Position;
  onActive: (position: Position) => void;
}

function Grid({ motion, frame, size, active, onActive }: GridProps) {
  const [width, height] = size;
  const canvas = useRef<HTMLCanvasElement>(null);
  const dark = useSelector((s) => s.dark);
  useLayoutEffect(() => {
    if (canvas.current) paintMotionMap(canvas.current, motion, frame, [width, height], dark);
  }, [motion, frame, width, height, dark]);
  const onPointerMove = (event: PointerEvent) => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    onActive({ row: Math.floor(y / height), column: Math.floor(x / width) });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const by = MOVES[event.key];
    if (!by) return;
    event.preventDefault();
    onActive({ row: active.row + by.row, column: active.column + by.column });
  };
  const boxOf = (cells: Position) => ({
    width: `${width * cells.column}px`,
    height: `${height * cells.row}px`,
  });
  const [rows, columns] = [frame.values.length, frame.values[0]?.length ?? 1];
  const [left, top] = [`${active.column * width}px`, `${active.row * height}px`];
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for form fields
    <div
      class="motion-map-grid"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys read cells
      tabIndex={0}
      role="group"
      aria-label={`${cleanText(motion.meaning)}; use the arrow keys to read cells`}
      onPointerMove={onPointerMove}
      onKeyDown={onKeyDown}
      style={{ width: `${width * columns}px` }}
    >
      <canvas ref={canvas} style={boxOf({ row: rows, column: columns })} />
      <div class="motion-map-active" style={{ left, top, ...boxOf({ row: 1, column: 1 }) }} />
    </div>
  );
}

function Caption({ name, motion, frame }: { name: string; motion: MotionAnswer; frame: FrameAnswer }) {
  return (
    <figcaption class="variable-maps-caption">
      <strong>{cleanText(motion.title)}</strong>{" "}
      <ExportButtons name={`${name} ${motion.kind}`} steps={[frame.step]} table={() => frame.values} />
      <span class="quiet">
        {formatCount(motion.rows)} rows × {formatCount(motion.columns)} columns, step{" "}
        {formatCount(frame.step)}
      </span>
    </figcaption>
  );
}

/** The colour scale, and what the fills mean that occur in this picture. */
function Legend({ motion, frame }: { motion: MotionAnswer; frame: FrameAnswer }) {
  const { kinds } = kindsIn(frame.values, "log");
  return (
    <p class="motion-map-scale quiet">
      {motion.domain && (
        <span>
          {formatNumber(motion.domain[0])} <ColourBar /> {formatNumber(motion.domain[1])}, log scale
        </span>
      )}
      {SPECIAL_KINDS.filter((kind) => kinds.has(kind)).map((kind) => (
        <span key={kind}>
          <Swatch kind={kind} /> {kind === "zero" ? "exactly 0" : KIND_TEXT[kind]}
        </span>
      ))}
    </p>
  );
}

interface Props {
  name: string; // of the variable
  motion: MotionAnswer;
  index: number; // of the frame
  maxWidth: number;
}

export function MotionMap({ name, motion, index, maxWidth }: Props) {
  const [position, setPosition] = useState<Position>({ row: 0, column: 0 });
  const frame = motion.frames[Math.min(index, motion.frames.length - 1)];
  if (!frame) return null;
  const [rows, columns] = [frame.values.length, frame.values[0]?.length ?? 1];
  const inside = ({ row, column }: Position) => ({
    row: Math.max(0, Math.min(rows - 1, row)),
    column: Math.max(0, Math.min(columns - 1, column)),
  });
  const active = inside(position);
  const lines = [
    formatLines("row", active.row, motion.per_row, motion.rows),
    formatLines("column", active.column, motion.per_column, motion.columns),
  ];
  return (
    <figure class="motion-map">
      <Caption name={name} motion={motion} frame={frame} />
      <Grid
        motion={motion}
        frame={frame}
        size={cellSize(frame, maxWidth)}
        active={active}
        onActive={(to) => setPosition(inside(to))}
      />
      <p class="motion-map-readout" aria-live="polite">
        {lines.join(", ")}: <strong>{formatCell(frame.values[active.row]?.[active.column])}</strong>
      </p>
      <Legend motion={motion} frame={frame} />
      {frame.text && <p>{cleanText(frame.text)}</p>}
    </figure>
  );
}
