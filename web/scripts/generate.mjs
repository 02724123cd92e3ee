// Makes src/generated/ from the server's own models, so that page and server cannot disagree about a message.
// PYTHON names an interpreter with the project's libraries; the default is the one `make setup` makes.
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { compile } from "json-schema-to-typescript";

const web = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const root = resolve(web, "..");
const out = resolve(web, "src/generated");
const python = process.env.PYTHON ?? resolve(root, ".venv/bin/python");

execFileSync(python, ["-m", "signaling.schema", out], { cwd: root, stdio: "inherit" });

const schemaFile = resolve(out, "protocol.schema.json");
const schema = JSON.parse(readFileSync(schemaFile, "utf8"));
for (const definition of Object.values(schema.$defs)) {
  for (const field of Object.values(definition.properties ?? {})) plain(field);
}
const types = await compile(schema, "Protocol", {
  unreachableDefinitions: true,
  additionalProperties: false,
  bannerComment: "// Generated from signaling/messages. Change the models, not this file.",
  format: false,
});
writeFileSync(resolve(out, "protocol.ts"), types);
rmSync(schemaFile);

/** Takes titles and defaults off a model's fields: beside a reference or a type each would become a type of its own. */
function plain(node) {
  if (node === null || typeof node !== "object") return;
  if (typeof node.title === "string") delete node.title;
  if (node.$ref) delete node.default;
  for (const value of Object.values(node)) plain(value);
}
