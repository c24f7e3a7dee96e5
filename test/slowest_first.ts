import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * Files that take longest, begun first, so that the end of a run does not wait for one of them. Those that keep a core busy
 * (simulator, embedded) come beside those that wait.
 */
const SLOWEST = [
  'test/faults/distributed.test.ts',
  'test/e2e/million.test.ts',
  'test/simulator/simulator.test.ts',
  'test/runtime/log_kafka_outage.test.ts',
  'test/faults/embedded.test.ts',
  'test/e2e/first_hour.test.ts',
  'test/runtime/log_kafka_source.test.ts',
  'test/notify/request_tracker.test.ts',
  'test/runtime/log_kafka.test.ts',
]

/** A new checkout knows nothing of an earlier run, and vitest would begin with the largest files. */
export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const rank = ({ moduleId }: TestSpecification) => {
      const found = SLOWEST.findIndex((file) => moduleId.endsWith(file))
      return found === -1 ? SLOWEST.length : found
    }
    return sorted.sort((a, b) => rank(a) - rank(b))
  }
}
