// Reads an OpenAPI document: its operations, and schemas as text.

/**
 * @typedef {object} Parameter
 * @property {string} name
 * @property {"path" | "query" | "header" | "cookie"} in
 * @property {boolean} required
 * @property {string} description
 * @property {any} schema
 */

/**
 * @typedef {object} Operation
 * @property {string} id
 * @property {string} method in capitals
 * @property {string} path
 * @property {string} tag
 * @property {string} summary the first sentence
 * @property {string} description
 * @property {Parameter[]} parameters
 * @property {Record<string, any>} bodies schemas by media type
 * @property {{status: string, description: string, types: string[], schema: any}[]} responses
 * @property {string} text everything that a search looks at, in small letters
 */

const METHODS = ["get", "post", "put", "patch", "delete"];

/**
 * Return all operations in the order of the document.
 * @param {any} document
 * @returns {Operation[]}
 */
export function operationsOf(document) {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => operationOf(method, path, item[method])),
  );
}

/**
 * @param {string} method
 * @param {string} path
 * @param {any} raw
 * @returns {Operation}
 */
function operationOf(method, path, raw) {
  const description = raw.description ?? raw.summary ?? "";
  const [first = ""] = description.split(/(?<=\.)\s/, 1);
  const parameters = raw.parameters ?? [];
  const tag = raw.tags?.[0] ?? "other";
  const names = parameters.map((/** @type {Parameter} */ each) => each.name).join(" ");
  return {
    id: raw.operationId,
    method: method.toUpperCase(),
    path,
    tag,
    summary: first,
    description: description.slice(first.length).trim(),
    parameters: parameters.map((/** @type {any} */ each) => ({ required: false, description: "", ...each })),
    bodies: Object.fromEntries(
      Object.entries(raw.requestBody?.content ?? {}).map(([type, content]) => [type, content.schema]),
    ),
    responses: Object.entries(raw.responses ?? {}).map(([status, response]) => ({
      status,
      description: response.description,
      types: Object.keys(response.content ?? {}),
      schema: /** @type {any} */ (Object.values(response.content ?? {})[0])?.schema,
    })),
    text: `${raw.operationId} ${method} ${path} ${tag} ${description} ${names}`.toLowerCase(),
  };
}

/**
 * Follow a reference of the document.
 * @param {any} schema
 * @param {any} document
 */
export function resolve(schema, document) {
  const reference = schema?.$ref;
  if (!reference) {
    return schema;
  }
  return reference
    .slice(2)
    .split("/")
    .reduce((/** @type {any} */ part, /** @type {string} */ name) => part?.[name], document);
}

/**
 * Return a short text for the type of a schema, such as "integer, 1 to 64".
 * @param {any} schema
 * @param {any} document
 * @returns {string}
 */
export function typeText(schema, document) {
  if (!schema) {
    return "";
  }
  if (schema.$ref) {
    return schema.$ref.split("/").at(-1);
  }
  const choices = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (choices) {
    return [...new Set(choices.map((/** @type {any} */ each) => typeText(each, document)))]
      .filter(Boolean)
      .join(" or ");
  }
  if (schema.enum) {
    return schema.enum.map((/** @type {unknown} */ each) => JSON.stringify(each)).join(" or ");
  }
  if ("const" in schema) {
    return JSON.stringify(schema.const);
  }
  if (schema.type === "array") {
    return `list of ${typeText(schema.items, document) || "values"}`;
  }
  const low = schema.minimum ?? schema.exclusiveMinimum;
  const high = schema.maximum ?? schema.exclusiveMaximum;
  const range = low === undefined && high === undefined ? "" : `, ${low ?? "…"} to ${high ?? "…"}`;
  return `${schema.format ?? schema.type ?? "any"}${range}`;
}

/**
 * Return the fields of an object's schema, or none for other schemas.
 * @param {any} schema
 * @param {any} document
 * @returns {{name: string, type: string, description: string, isRequired: boolean}[]}
 */
export function fieldsOf(schema, document) {
  const found = resolve(schema, document);
  const parts = found?.allOf ? found.allOf.map((/** @type {any} */ each) => resolve(each, document)) : [found];
  return parts.flatMap((/** @type {any} */ part) =>
    Object.entries(part?.properties ?? {}).map(([name, each]) => ({
      name,
      type: typeText(each, document),
      description: each.description ?? "",
      isRequired: part.required?.includes(name) ?? false,
    })),
  );
}
