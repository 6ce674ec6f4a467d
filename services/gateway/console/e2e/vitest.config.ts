import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: [process.env.STEWARD_E2E ?? "*.e2e.ts"],
    // Each file has a platform and a browser of its own; two at once would only be in each other's way.
    fileParallelism: false,
    expect: { poll: { timeout: 20_000 } },
    testTimeout: 60_000,
    hookTimeout: 180_000,
  },
});
