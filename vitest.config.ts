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
    // The long ones mostly wait for other processes, so there may be one more than cores; vitest itself would leave a core free.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: SlowestFirst },
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
    reporters: report_path === undefined ? ['default'] : ['default', ['json', { outputFile: report_path }]],
  },
})
