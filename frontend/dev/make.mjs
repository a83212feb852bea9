// Made-up but lifelike answers, the same on every call: for looking at the page (npm run dev). What the backend really
// answers is in tests/payloads.

const QUANTITIES = [
  [
    "update_ratio",
    "update ratio ‖Δ‖/‖w‖",
    "",
    "how far one step moves the variable, against its own size",
    "log",
    "variable",
  ],
  [
    "grad_norm",
    "gradient norm ‖g‖",
    "",
    "length of the gradient as the optimizer uses it",
    "log",
    "variable",
  ],
  ["grad_zeros", "gradient zeros", "", "share of gradient elements that are exactly 0", "share", "variable"],
  ["weight_norm", "weight norm ‖w‖", "", "length of the variable", "log", "variable"],
  ["weight_std", "weight spread", "", "standard deviation of the elements", "linear", "variable"],
  [
    "changed",
    "share of elements that changed",
    "",
    "elements whose bits differ after the step",
    "share",
    "variable",
  ],
  ["dead_units", "dead units", "", "share of units that were 0 for every recorded sample", "share", "layer"],
  ["activation_std", "activation spread", "", "standard deviation of the layer's output", "log", "layer"],
  ["loss", "loss", "", "loss of the batch, not Keras' running mean", "linear", "run"],
  ["learning_rate", "learning rate", "", "after the schedule", "log", "run"],
].map(([name, title, unit, meaning, scale, axis]) => ({ name, title, unit, meaning, scale, axis }));

const LAYERS = [
  "stem/conv",
  "block_1/conv_a",
  "block_1/conv_b",
  "block_2/conv_a",
  "block_2/conv_b",
  "block_3/conv_a",
  "block_3/conv_b",
  "encoder/transformer/multi_head_attention/query",
  "head/dense",
  "head/logits",
];
const VARIABLES = LAYERS.flatMap((layer, i) => [
  { name: `${layer}/kernel`, layer, shape: [3, 3, 16 << (i % 4), 32], dtype: "float32", trainable: true },
  { name: `${layer}/bias`, layer, shape: [32], dtype: "float32", trainable: true },
]);
const NAMES = VARIABLES.map((v) => v.name);

export const RUNS = {
  "cnn/lr-1e-10": { kind: "small", started: 1_763_900_000, last: 5000, state: "training" },
  "cnn/baseline": { kind: "healthy", started: 1_763_890_000, last: 5000, state: "ended" },
  "cnn/fp16-dirty-input": { kind: "nan", started: 1_763_880_000, last: 1840, state: "stopped" },
};
const NOTHING_TO_SAY = { small: "learning-rate-too-small", healthy: "healthy", nan: "nonfinite-input" };

function noise(...seed) {
  let h = 2166136261;
  for (const c of seed.join("|")) h = Math.imul(h ^ c.charCodeAt(0), 16777619);
  h ^= h >>> 15;
  h = Math.imul(h, 2246822519);
  return ((h ^ (h >>> 13)) >>> 0) / 2 ** 32;
}
const round = (x) => (typeof x === "number" ? Number(x.toPrecision(4)) : x);

function buckets(last, columns) {
  const first = [];
  const ends = [];
  for (let c = 0; c < columns; c++) {
    const from = 1 + Math.floor((c * last) / columns);
    if (from > (ends.at(-1) ?? 0)) {
      first.push(from);
      ends.push(Math.max(from, Math.floor(((c + 1) * last) / columns)));
    }
  }
  return { first, last: ends };
}

function value(kind, quantity, row, step, last, name) {
  const t = step / last;
  const wobble = 10 ** (0.5 * (noise(quantity, row, step) - 0.5) + 0.8 * (noise(quantity, row) - 0.5));
  if (kind === "nan" && step > 612 && row >= 0) {
    if (quantity.startsWith("grad") || quantity === "update_ratio" || quantity === "weight_norm")
      return "NaN";
    if (quantity === "weight_std") return step > 1200 ? "Infinity" : "NaN";
  }
  if (name === "block_2/conv_b/bias" && quantity.startsWith("grad") && kind === "nan") return "None";
  if (step > last * 0.62 && step < last * 0.645) return null;
  switch (quantity) {
    case "update_ratio":
      if (kind === "small")
        return NAMES[row]?.endsWith("kernel") && noise(row, "z") > 0.6 && t > 0.3 ? 0 : 8e-11 * wobble;
      return 2e-3 * wobble * (1.2 - t) * (1 + 3 * Math.exp(-40 * t));
    case "grad_norm":
      return 0.3 * wobble * (kind === "small" ? 1 : 1.1 - t);
    case "grad_zeros":
      return Math.min(1, 0.35 * noise(row) + 0.1 * noise(row, step));
    case "weight_norm":
      return 4 * 10 ** (noise(row) - 0.5) * (1 + (kind === "small" ? 0 : t));
    case "weight_std":
      return 0.05 * (1 + noise(row)) * (1 + (kind === "small" ? 0 : 0.4 * t));
    case "changed":
      return kind === "small" ? 0.02 * noise(row) : 1;
    case "dead_units":
      return Math.min(1, 0.2 * noise(row) + 0.2 * t * noise(row, "d"));
    case "activation_std":
      return 0.8 * wobble;
    case "loss":
      return kind === "nan" && step > 612
        ? "NaN"
        : (kind === "small" ? Math.LN10 : 0.08 + 2.2 * Math.exp(-6 * t)) + 0.08 * noise(step);
    case "learning_rate":
      return kind === "small" ? 1e-10 : 1e-3;
    default:
      return null;
  }
}

function cells(kind, quantity, row, b, last, name) {
  const low = [];
  const high = [];
  for (const step of b.last) {
    const v = value(kind, quantity, row, step, last, name);
    const spread = typeof v === "number" && quantity !== "learning_rate" ? 1 + 0.5 * noise(step, row) : 1;
    low.push(typeof v === "number" ? round(v / spread) : v);
    high.push(
      typeof v === "number"
        ? round(Math.min(v * spread, /zeros|dead|changed/.test(quantity) ? 1 : Infinity))
        : v,
    );
  }
  return { low, high };
}

export function runs(many = false) {
  const list = Object.entries(RUNS).map(([run, r]) => ({
    run,
    label: run,
    launches: [
      ...(r.kind === "nan"
        ? [
            {
              launch: "early",
              started: r.started - 4000,
              state: "died",
              state_text: "died after step 220: no end was recorded",
              last_step: 220,
              status: "undecided",
              severity: "none",
              headline: "cannot tell: too few steps",
            },
          ]
        : []),
      {
        launch: "main",
        started: r.started,
        state: r.state,
        state_text: stateText(r),
        last_step: r.last,
        status: r.kind === "healthy" ? "healthy" : "sick",
        severity: r.kind === "healthy" ? "none" : "error",
        headline: NOTHING_TO_SAY[r.kind],
      },
    ],
  }));
  if (many)
    for (let i = 0; i < 6; i++)
      list.push({
        run: `sweep/${i}`,
        label:
          i === 5 ? "sweep/\u202e<img src=x onerror=alert(1)>" : `sweep/trial-${i}-with-quite-a-long-name`,
        launches: [
          {
            launch: "main",
            started: 1_763_000_000 + i,
            state: "ended",
            state_text: "ended after 5,000 steps",
            last_step: 5000,
            status: i % 3 ? "healthy" : "undecided",
            severity: i % 3 ? "none" : "info",
            headline: i % 3 ? "healthy" : "training, not finished",
          },
        ],
      });
  list.sort((a, b) => (a.run < b.run ? -1 : 1));
  return { revision: "runs-1", runs: list, hint: "" };
}

export const EMPTY = {
  revision: "none",
  runs: [],
  hint: 'Nothing below this log directory was written by weightwatch. With Keras:\n\n    model.fit(x, y, callbacks=[tb_weightwatch.WeightWatch("logs/run-1")])\n\nIn a loop of your own:\n\n    watch = tb_weightwatch.Watch("logs/run-2", model=model, optimizer=optimizer)\n    ...\n    watch.step(loss)  # at the end of each step',
};

function stateText(r) {
  const n = r.last.toLocaleString("en-US");
  return {
    training: `training, at step ${n}`,
    ended: `ended after ${n} steps`,
    stopped: `stopped by KeyboardInterrupt after ${n} steps`,
  }[r.state];
}

const evidence = (name, v, text, step, quantity, unit = "") => ({
  name,
  value: v,
  unit,
  text,
  step,
  quantity,
});
const verdict = (v) => ({
  link: "optimizer",
  severity: "error",
  certainty: "certain",
  variables: NAMES,
  first_step: 1,
  last_step: 5000,
  resolved: false,
  evidence: [],
  fix: "",
  explains: [],
  ...v,
});

const VERDICTS = {
  small: [
    verdict({
      code: 502,
      name: "learning-rate-too-small",
      message:
        "The learning rate 1e-10 is too small: a step moves no variable by more than 1.2e-10 of its size.",
      evidence: [
        evidence(
          "update_ratio",
          8.1e-11,
          "update ratio 8.1e-11 at step 100 (about 1e-3 is usual)",
          100,
          "update_ratio",
        ),
        evidence(
          "grad_norm",
          0.31,
          "gradients are alive in all 20 variables: median norm 0.31",
          100,
          "grad_norm",
        ),
        evidence(
          "loss",
          Math.LN10,
          "loss 2.303 at step 1 and 2.303 at step 5,000: the no-skill level ln 10",
          5000,
          "",
        ),
      ],
      fix: "Raise the learning rate by a factor of about 1e7, which brings the update ratio to 1e-3:\n\n    optimizer = keras.optimizers.Adam(learning_rate=1e-3)\n    model.compile(optimizer=optimizer, loss=loss)\n\nIf a schedule sets it, check the unit of its first argument: steps, not epochs.",
      explains: [
        verdict({
          code: 601,
          name: "update-below-precision",
          link: "update",
          severity: "warning",
          variables: NAMES.filter((n) => n.endsWith("kernel")).slice(0, 6),
          first_step: 12,
          message:
            "6 kernels do not change at all: the step is under half a unit in the last place of float32.",
          evidence: [
            evidence(
              "changed",
              0,
              "0 % of the elements of stem/conv/kernel changed at step 1,600",
              1600,
              "changed",
            ),
          ],
          fix: "Nothing of its own: it goes away with the learning rate.",
        }),
      ],
    }),
    verdict({
      code: 102,
      name: "unscaled-input",
      link: "data",
      severity: "warning",
      certainty: "likely",
      variables: [NAMES[0], NAMES[1]],
      first_step: 1,
      last_step: 900,
      message: "Input features reach 255, and the first layer's gradient is 40 times that of the others.",
      evidence: [evidence("max", 255, "largest input 255 at step 1", 1, "")],
      fix: 'Scale the inputs:\n\n    x = x.astype("float32") / 255',
    }),
  ],
  nan: [
    verdict({
      code: 101,
      name: "nonfinite-input",
      link: "data",
      variables: [],
      first_step: 612,
      last_step: 1840,
      message: "The input of step 612 holds NaN, and from step 613 on every weight is NaN.",
      evidence: [
        evidence(
          "inputs",
          "NaN",
          '3 of 12,288 input values are NaN at step 612, in feature 7 ("age")',
          612,
          "",
        ),
        evidence("weight", "NaN", "first NaN weight at step 613: stem/conv/kernel", 613, "weight_norm"),
      ],
      fix: 'Clean or mask the input, and let the pipeline fail early:\n\n    dataset = dataset.map(lambda x, y: (tf.debugging.check_numerics(x, "input"), y))',
      explains: [
        verdict({
          code: 703,
          name: "nonfinite-weight",
          link: "weight",
          first_step: 613,
          last_step: 1840,
          message: "20 of 20 variables hold NaN.",
          evidence: [],
          fix: "",
        }),
        verdict({
          code: 405,
          name: "nonfinite-gradient",
          link: "gradient",
          first_step: 612,
          last_step: 1840,
          message: "Gradients are NaN from step 612.",
          evidence: [],
          fix: "",
        }),
      ],
    }),
  ],
  healthy: [],
};
const RESOLVED = {
  small: [],
  nan: [],
  healthy: [
    verdict({
      code: 404,
      name: "exploding-gradient",
      link: "gradient",
      severity: "warning",
      certainty: "likely",
      resolved: true,
      first_step: 40,
      last_step: 72,
      variables: [NAMES[0]],
      message: "The gradient of stem/conv/kernel rose to 90 times its own median during warm-up.",
      evidence: [],
      fix: "",
    }),
  ],
};

const LINKS = [
  ["data", "Data", "", "255", "largest input"],
  ["activations", "Activations", "", "4 %", "dead units"],
  ["loss", "Loss", "", "2.303", "batch loss, last"],
  ["gradient", "Gradient", "gradient", "0.31", "median gradient norm"],
  ["optimizer", "Optimizer", "lr", "1e-10", "learning rate"],
  ["update", "Update", "lr · gradient", "8.1e-11", "median update ratio"],
  ["weight", "Weight", "w", "2e-9", "moved since step 1"],
];
const STATES = {
  small: ["note", "ok", "ok", "ok", "broken", "consequence", "consequence"],
  nan: ["broken", "consequence", "consequence", "consequence", "unknown", "consequence", "consequence"],
  healthy: ["ok", "ok", "ok", "ok", "ok", "ok", "ok"],
};
const NUMBERS = {
  small: null,
  nan: ["3 NaN", "", "NaN", "NaN", "1e-3", "NaN", "NaN"],
  healthy: ["1.0", "4 %", "0.081", "0.12", "1e-3", "2.1e-3", "0.64"],
};
const TEXTS = {
  small: [
    "inputs reach 255: not the cause, see 102",
    "few units are dead",
    "the loss is finite and alive",
    "all 20 variables receive a gradient",
    "the learning rate is 1e-10 at every recorded step",
    "steps are 1e7 times smaller than usual, because of the learning rate",
    "no weight has moved by more than 1e-8 of its size",
  ],
  nan: [
    "NaN in the input at step 612",
    "not finite from step 612",
    "not finite from step 612",
    "not finite from step 612",
    "the optimizer's own state was not recorded",
    "NaN from step 612",
    "NaN from step 613",
  ],
  healthy: [
    "inputs are finite and of order 1",
    "few units are dead",
    "falls from 2.3 to 0.081",
    "alive everywhere",
    "constant 1e-3",
    "of the usual size",
    "every variable moves",
  ],
};
const CODES = {
  small: [[102], [], [], [], [502], [601], [601]],
  nan: [[101], [], [], [405], [], [], [703]],
  healthy: [[], [], [], [], [], [], []],
};
const SENTENCES = {
  small: VERDICTS.small[0].message,
  nan: VERDICTS.nan[0].message,
  healthy: "The weights are moving: 20 of 20 variables train, and the loss fell from 2.3 to 0.081.",
};

export function overview(run, launch) {
  const r = RUNS[run] ?? RUNS["cnn/baseline"];
  const k = r.kind;
  const accused = new Set(VERDICTS[k].flatMap((v) => v.variables));
  return {
    revision: `o-${run}-1`,
    run,
    launch: launch || "main",
    state: r.state,
    state_text: stateText(r),
    last_step: r.last,
    rows: 1104,
    status: k === "healthy" ? "healthy" : "sick",
    sentence: SENTENCES[k],
    detail:
      k === "healthy"
        ? "Still falling by 0.4 % per 100 steps: training, not finished. Watching cost 0.8 % of the training time."
        : "Every recorded step was read. Watching cost 0.8 % of the training time.",
    verdicts: VERDICTS[k],
    resolved: RESOLVED[k],
    chain: LINKS.map(([link, title, symbol, number, meaning], i) => ({
      link,
      title,
      symbol,
      state: STATES[k][i],
      number: NUMBERS[k]?.[i] ?? number,
      meaning,
      text: TEXTS[k][i],
      codes: CODES[k][i],
      first: STATES[k].indexOf("broken") === i,
    })),
    passed: [
      [103, "unscaled-target", "regression targets far from order 1"],
      [201, "dead-relu", "units that are zero for every sample"],
      [303, "nonfinite-loss", "NaN or Inf in the loss"],
      [401, "no-gradient", "variables whose gradient is None"],
      [404, "exploding-gradient", "gradients that grow by orders"],
      [506, "loss-scale-skipping", "steps skipped by loss scaling"],
      [602, "update-undone", "weights put back between steps"],
      [701, "frozen-weights", "trainable=False"],
    ].map(([code, name, summary]) => ({ code, name, summary })),
    unknown: [
      [
        106,
        "no-learning-signal",
        "labels that do not go with the inputs",
        "needs predictions: pass predictions=y_pred to watch.step()",
      ],
      [
        406,
        "wrong-gradient",
        "a custom gradient that is wrong",
        "needs an experiment: ww.probe(model, x, y)",
      ],
    ].map(([code, name, summary, lacked]) => ({ code, name, summary, lacked })),
    quantities: QUANTITIES,
    layers: LAYERS,
    variables: VARIABLES.map((v) => ({ ...v, worst: accused.has(v.name) ? "error" : "none" })),
    facts: [
      ["Model", "Sequential, 20 variables, 1,204,554 parameters"],
      ["Optimizer", "Adam(learning_rate=1e-10, epsilon=1e-7)"],
      ["Loss", "SparseCategoricalCrossentropy(from_logits=True)"],
      ["Versions", "tensorflow 2.20.0, keras 3.15.0"],
    ].map(([label, value]) => ({ label, value })),
    skipped: k === "nan" ? 2 : 0,
  };
}

export function heatmap(run, name, columns) {
  const r = RUNS[run] ?? RUNS["cnn/baseline"];
  const quantity = QUANTITIES.find((q) => q.name === name) ?? QUANTITIES[0];
  const names = quantity.axis === "layer" ? LAYERS : NAMES;
  const b = buckets(r.last, columns);
  const rows = names.map((n, i) => cells(r.kind, quantity.name, i, b, r.last, n));
  const finite = rows
    .flatMap((x) => [...x.low, ...x.high])
    .filter((v) => typeof v === "number" && (quantity.scale !== "log" || v > 0));
  return {
    revision: `h-${run}-1`,
    quantity,
    names,
    first: b.first,
    last: b.last,
    low: rows.map((x) => x.low),
    high: rows.map((x) => x.high),
    domain: finite.length ? [Math.min(...finite), Math.max(...finite)] : null,
  };
}

export function curves(run, name, columns) {
  const r = RUNS[run] ?? RUNS["cnn/baseline"];
  const axis = !name ? "run" : LAYERS.includes(name) ? "layer" : "variable";
  const row = axis === "run" ? -1 : (axis === "layer" ? LAYERS : NAMES).indexOf(name);
  const b = buckets(r.last, columns);
  return {
    revision: `c-${run}-1`,
    name: name ?? "",
    steps: b.last,
    curves: QUANTITIES.filter((q) => q.axis === axis).map((quantity) => {
      const { low, high } = cells(r.kind, quantity.name, row, b, r.last, name);
      return { quantity, low, high, last: low };
    }),
  };
}
