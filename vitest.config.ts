import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts", "examples/**/*.test.ts"],
    reporters: ["default", "./test/reporter.ts"],
    testTimeout: 60_000,
    hookTimeout: 180_000,
    // Engine sessions are native memory: a process each keeps one file's leak or crash from another's result.
    pool: "forks",
    maxWorkers: 2,
  },
});
export default config;
