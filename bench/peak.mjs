/** Loaded into a measured process: leaves its peak resident memory (KiB) in a file when it ends. */
import { writeFileSync } from "node:fs";

process.on("exit", () => writeFileSync(process.env.CONVLENS_PEAK_FILE, String(process.resourceUsage().maxRSS)));
