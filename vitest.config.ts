import { defineConfig } from "vitest/config"

// A path in BAROGRAPH_TEST_REPORT adds a machine-readable report next to what the terminal shows.
const report = process.env["BAROGRAPH_TEST_REPORT"]

export default defineConfig({
  test: {
    reporters: report === undefined ? ["default"] : ["default", ["json", { outputFile: report }]],
    projects: [
      {
        // The template of `init` imports this package by its name, and means these sources.
        ssr: { resolve: { conditions: ["barograph-source", "module", "node", "development|production"] } },
        test: {
          name: "unit",
          include: ["test/**/*.test.ts", "src/runtime/cli/template/*.test.ts"],
          exclude: ["**/*.integration.test.ts"],
          testTimeout: 20_000,
          sequence: { groupOrder: 0 }
        }
      },
      {
        test: {
          name: "integration",
          include: ["test/**/*.integration.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 }
        }
      }
    ]
  }
})
