/** The canonical text form of a graph, one line per node: what tests compare and bug reports quote. */
import type { Attribute, Constant, Graph, Node, ValueInfo } from "./graph.ts";

/** Integer constants up to this many elements are printed with their values. */
const shownElements = 8;

/**
 * Prints a graph: inputs, constants, nodes in order, outputs. Attributes are sorted by name, shapes stand where they
 * are known, `?` is a free axis. Equal graphs print equally, and a file read back prints as it was written.
 */
export function printGraph(graph: Graph): string {
  return `${lines(graph).join("\n")}\n`;
}

function lines(graph: Graph): string[] {
  const typed = (value: string): string => {
    const info = graph.values.get(value);
    return value === "" ? "_" : info ? `${word(value)}: ${typeText(info)}` : word(value);
  };
  const constants = [...graph.constants].sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    `graph ${word(graph.name)}`,
    ...graph.inputs.map((value) => `input ${typed(value)}`),
    ...constants.map(([name, constant]) => `constant ${word(name)}: ${constantText(constant)}`),
    ...graph.nodes.flatMap((node) => nodeLines(node, typed)),
    ...graph.outputs.map((value) => `output ${word(value)}`),
  ];
}

function nodeLines(node: Node, typed: (value: string) => string): string[] {
  const attributes = Object.entries(node.attributes).sort(([a], [b]) => (a < b ? -1 : 1));
  const op = node.domain === "" ? node.op : `${node.domain}.${node.op}`;
  const inputs = node.inputs.map((value) => (value === "" ? "_" : word(value))).join(", ");
  let line = `${node.outputs.map(typed).join(", ")} = ${op}(${inputs})`;
  for (const [name, attribute] of attributes) line += ` ${name}=${attributeText(attribute)}`;
  if (node.name !== "") line += ` # ${word(node.name)}`;
  const inner = attributes.flatMap(([name, { kind, value }]) =>
    kind === "graph" ? [`  ${name}:`, ...lines(value).map((text) => `    ${text}`)] : [],
  );
  return [line, ...inner];
}

function attributeText(attribute: Attribute): string {
  switch (attribute.kind) {
    case "int":
      return String(attribute.value);
    case "float":
      return floatText(attribute.value);
    case "string":
      return JSON.stringify(attribute.value);
    case "ints":
      return `[${attribute.value.join(", ")}]`;
    case "floats":
      return `[${attribute.value.map(floatText).join(", ")}]`;
    case "strings":
      return `[${attribute.value.map((text) => JSON.stringify(text)).join(", ")}]`;
    case "tensor":
      return constantText(attribute.value);
    case "graph":
      return "{…}";
  }
}

function constantText(constant: Constant): string {
  const type = `${constant.type}[${constant.dims.join(", ")}]`;
  if ("stored" in constant) return type;
  const shown = /^u?int|^bool/.test(constant.type) && constant.data.length <= shownElements;
  return shown ? `${type} {${Array.from(constant.data as ArrayLike<number>).join(", ")}}` : type;
}

const typeText = (info: ValueInfo): string => `${info.type}[${info.shape.map((n) => n ?? "?").join(", ")}]`;

/** A name as it is where nothing in it could be misread, else quoted. */
const word = (name: string): string => (/^[\w./:@$-]+$/.test(name) && name !== "_" ? name : JSON.stringify(name));

/** The shortest decimal that is this float32, always with a point or exponent: an int 1 prints otherwise than a float. */
function floatText(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  for (let digits = 1; digits <= 9; digits++) {
    const text = String(Number(value.toPrecision(digits)));
    if (Math.fround(Number(text)) === Math.fround(value)) return /[.e]/.test(text) ? text : `${text}.0`;
  }
  return String(value);
}
