/** What the user sees: notes and progress on stderr, results on stdout, colour where it is wanted. */

/** Options that every verb has. */
export interface TerminalOptions {
  readonly quiet?: boolean;
  readonly timing?: boolean;
}

export interface Terminal {
  /** A line on stderr, once for each text. */
  note(message: string): void;
  /** What is being done: a bar on a terminal, a plain line elsewhere. */
  progress(done: number, total: number, what: string): void;
  /** Runs something and, under `--timing`, says how long it took. */
  time<T>(what: string, run: () => Promise<T>): Promise<T>;
}

export function makeTerminal({ quiet = false, timing = false }: TerminalOptions): Terminal {
  const told = new Set<string>();
  const bar = process.stderr.isTTY === true;
  let shown = false;
  let last = "";
  const clear = () => {
    if (shown) process.stderr.write("\r\x1b[K");
    shown = false;
  };
  return {
    note(message) {
      if (quiet || told.has(message)) return;
      told.add(message);
      clear();
      process.stderr.write(`${oneLine(message)}\n`);
    },
    progress(done, total, what) {
      if (quiet) return;
      const step = `${Math.floor(done) + 1}/${total} ${oneLine(what)}`;
      if (bar) {
        clear();
        if (done >= total) return;
        const full = Math.round((20 * done) / total);
        process.stderr.write(`[${"#".repeat(full)}${".".repeat(20 - full)}] ${step}`);
        shown = true;
      } else if (done < total && step !== last) {
        process.stderr.write(`${step}\n`);
        last = step;
      }
    },
    async time(what, run) {
      const start = performance.now();
      const answer = await run();
      clear();
      if (timing) process.stderr.write(`time: ${what} ${((performance.now() - start) / 1000).toFixed(3)} s\n`);
      return answer;
    },
  };
}

/** Names come from files: terminal escapes in them must not reach the terminal. */
export const clean = (text: string): string => text.replace(/\p{Cc}/gu, "?");

/** A message as one line of bearable length. */
export function oneLine(text: string): string {
  const plain = clean(text.replace(/\s*[\r\n]+\s*/g, "; "));
  return plain.length > 600 ? `${plain.slice(0, 599)}…` : plain;
}

/** Whether stdout takes colour: a terminal, and no NO_COLOR (no-color.org). */
export const wantsColor = (): boolean => process.stdout.isTTY === true && !process.env.NO_COLOR;

export const terminalWidth = (): number => process.stdout.columns ?? 100;

/** A line (or a block of them) on stdout. */
export const print = (text: string): void => void process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);

export const printJson = (value: unknown): void => print(JSON.stringify(value, undefined, 1));
