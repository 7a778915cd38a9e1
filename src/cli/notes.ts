/** The notes of results: at once of a single input; of several, at the end and each once, with the inputs that it is about. */
import type { Terminal } from "./terminal.ts";

export interface Notes {
  /** Takes all notes of one input. */
  add(input: string, notes: readonly string[]): void;
  /** Tells what was held back. */
  end(): void;
}

/** More inputs than this are counted, not named. */
const mostNamed = 4;

/** `general` hold for every input and are told at once. */
export function makeNotes(terminal: Terminal, general: readonly string[]): Notes {
  const held = new Map<string, string[]>();
  let inputs = 0;
  return {
    add(input, notes) {
      inputs++;
      for (const note of new Set(notes))
        if (general.includes(note)) terminal.note(`note: ${note}`);
        else held.set(note, [...(held.get(note) ?? []), input]);
    },
    end() {
      for (const [note, of] of held) terminal.note(`note: ${of.length < inputs ? `${namesOf(of)}: ` : ""}${note}`);
      held.clear();
    },
  };
}

const namesOf = (names: readonly string[]): string =>
  names.length <= mostNamed
    ? names.join(", ")
    : `${names.slice(0, mostNamed - 1).join(", ")} and ${names.length - mostNamed + 1} more`;
