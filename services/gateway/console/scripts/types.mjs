// Writes src/api/generated.ts: the parts of the API's document that are the same for every process.
// STEWARD_URL and STEWARD_TOKEN name a running platform.
import { writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const SAME_FOR_ALL = ["Attachments", "Comments", "Group", "History", "Links", "Offer", "ProblemDetails", "SignIn", "Who"];

const url = process.env.STEWARD_URL ?? "http://127.0.0.1:8080";
const headers = { authorization: `Bearer ${process.env.STEWARD_TOKEN}` };
const answer = await fetch(`${url}/api/v1/openapi.json`, { headers });
if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
const { openapi, info, components } = await answer.json();
const names = [...SAME_FOR_ALL];
const schemas = {};
for (const name of names) {
  schemas[name] = components.schemas[name];
  for (const [, found] of JSON.stringify(schemas[name]).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
    if (!names.includes(found)) names.push(found);
  }
}
const sorted = Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
const ast = await openapiTS({ openapi, info, paths: {}, components: { schemas: sorted } });
writeFileSync("src/api/generated.ts", `// Made by \`npm run types\` from /api/v1/openapi.json.\n${astToString(ast)}`);
