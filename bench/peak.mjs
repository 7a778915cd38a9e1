/** Loaded into a measured process: leaves its peak resident memory (KiB) in a file when it ends. */
import { readFileSync, writeFileSync } from "node:fs";

/** Of this program alone: what the system counts for a process includes the one that started it, where it was larger. */
function peak() {
  try {
    return /VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1];
  } catch {
    return process.resourceUsage().maxRSS;
  }
}

process.on("exit", () => writeFileSync(process.env.CONVLENS_PEAK_FILE, String(peak())));
