/** The JSON Schema of definitions, as far as completion reads it. */

export type FormatSchema = {
  $ref?: string;
  $defs?: Record<string, FormatSchema>;
  description?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: FormatSchema[];
  items?: FormatSchema;
  properties?: Record<string, FormatSchema>;
  additionalProperties?: FormatSchema | boolean;
  /** What the words that stand here are names of. */
  "x-names"?: "states" | "roles" | "fields" | "transitions";
};

/** A schema with all that it refers to or is one of. */
function spread(schema: FormatSchema, root: FormatSchema, depth = 0): FormatSchema[] {
  if (depth > 8) return [];
  const name = schema.$ref?.replace("#/$defs/", "");
  const named = name === undefined ? undefined : root.$defs?.[name];
  const others = [...(named ? [named] : []), ...(schema.anyOf ?? [])];
  return [schema, ...others.flatMap((other) => spread(other, root, depth + 1))];
}

/** What may stand at a path: `["states", "new", "assign", "to"]`. Places in lists are `[]`. */
export function schemasAt(path: string[], root: FormatSchema): FormatSchema[] {
  let here = spread(root, root);
  for (const step of path) {
    here = here.flatMap((schema) => {
      if (step === "[]") return schema.items ? spread(schema.items, root) : schema["x-names"] ? [schema] : [];
      const exact = schema.properties?.[step];
      const any = typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
      const next = exact ?? any;
      return next ? spread(next, root) : [];
    });
  }
  return here;
}
