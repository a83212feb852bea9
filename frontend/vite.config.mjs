import { defineConfig } from "vitest/config";
import { licenses } from "./dev/licenses.mjs";

// One file, one name, the same bytes from the same source: tb_weightwatch/static/index.js is committed and CI
// rebuilds it to compare. `emptyOutDir` stays off, because the folder belongs to the Python package.
export default defineConfig({
  test: { css: true }, // tests read the style sheets
  publicDir: false,
  plugins: [licenses],
  build: {
    outDir: "../tb_weightwatch/static",
    emptyOutDir: false,
    target: "es2022",
    sourcemap: false,
    minify: true,
    reportCompressedSize: true,
    lib: { entry: "src/index.tsx", formats: ["es"], fileName: () => "index.js" },
    rollupOptions: { output: { minify: true } },
  },
});
