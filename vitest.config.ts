import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { SlowestFirst } from './test/slowest_first.ts'

/** Where .ci/run wants the counts of passed and failed tests; nobody else needs them in a file. */
const report_path = process.env['TOCSIN_TEST_REPORT']

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/services/setup.ts'],
    // A process per file: the services and workers that a file starts die with it.
    pool: 'forks',
    // Vitest itself would leave a core free, and there is often but two; the long files mostly wait for other processes.
    maxWorkers: availableParallelism(),
    sequence: { sequencer: SlowestFirst },
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
    reporters: report_path === undefined ? ['default'] : ['default', ['json', { outputFile: report_path }]],
  },
})
