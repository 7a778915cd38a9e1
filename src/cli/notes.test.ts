import { expect, it } from "vitest";
import { makeNotes } from "./notes.ts";
import type { Terminal } from "./terminal.ts";

const told = (act: (notes: ReturnType<typeof makeNotes>) => void): string[] => {
  const lines: string[] = [];
  act(makeNotes({ note: (line: string) => lines.push(line) } as unknown as Terminal, ["general"]));
  return lines;
};

it("what several inputs say alike is told once, what is of some with their names", () => {
  const lines = told((notes) => {
    notes.add("a", ["general", "layer chosen", "blank"]);
    notes.add("b", ["general", "layer chosen", "layer chosen"]);
    notes.add("c", ["layer chosen", "blank"]);
    notes.end();
  });
  expect(lines.slice(2)).toEqual(["note: layer chosen", "note: a, c: blank"]);
  expect(new Set(lines.slice(0, 2))).toEqual(new Set(["note: general"]));
});

it("many names are counted", () => {
  const lines = told((notes) => {
    for (const name of "abcdef") notes.add(name, name === "f" ? [] : ["blank"]);
    notes.end();
  });
  expect(lines).toEqual(["note: a, b, c and 2 more: blank"]);
});
