/** Temporary files and new folders of this run, removed when it ends before it is done. Loads nothing else. */
import { rmdirSync, rmSync } from "node:fs";

const files = new Set<string>();
/** Folders that this run made, outermost first. */
const folders: string[] = [];

export const addTemporary = (path: string): void => void files.add(path);
export const forgetTemporary = (path: string): void => void files.delete(path);
export const addFolder = (path: string): void => void folders.push(path);

/** Removes what is left of a run; synchronous, for signal handlers. */
export function dropTemporaries(): void {
  for (const path of files) rmSync(path, { force: true });
  files.clear();
  for (const path of folders.splice(0).reverse()) {
    try {
      rmdirSync(path);
    } catch {
      return; // It holds results of this run.
    }
  }
}
