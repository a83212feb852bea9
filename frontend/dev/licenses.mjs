// Writes the licences of the packages that are part of the bundle into licenses.txt beside it.
import { readFileSync } from "node:fs";

export const licenses = {
  name: "licenses",
  generateBundle(_options, bundle) {
    const modules = Object.values(bundle).flatMap((file) => Object.keys(file.modules ?? {}));
    const folders = modules.map((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? "");
    const texts = [...new Set(folders)].filter(Boolean).map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
      return `${name} ${version}, ${license}\n\n${readFileSync(`${folder}/LICENSE`, "utf8").trim()}\n`;
    });
    const source = `index.js contains these packages.\n\n${texts.sort().join(`\n${"-".repeat(80)}\n\n`)}`;
    this.emitFile({ type: "asset", fileName: "licenses.txt", source });
  },
};
