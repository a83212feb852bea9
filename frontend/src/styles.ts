// All style sheets: the tokens and the base first, then the one of each view.
import base from "./base.css?inline";
import tokens from "./tokens.css?inline";

const views = import.meta.glob<string>("./views/*.css", { query: "?inline", import: "default", eager: true });

export const STYLES = [tokens, base, ...Object.values(views)].join("\n");
