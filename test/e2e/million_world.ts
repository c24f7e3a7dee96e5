import { Distributed } from '../installation/distributed.ts'
import { flaky, Receiver } from '../installation/receiver.ts'
import {
  createQueue,
  type RequestTrackerAddress,
  startClickHouse,
  startKafka,
  startRedis,
  startRequestTracker,
} from '../services/index.ts'
import { GROUP_BY } from './million_stream.ts'

export const RULES = `
scope: {labels: [cluster, namespace]}
rules:
  resolve_timeout_ms: 3600000
  grouping:
    - {name: by-group, group_by: [${GROUP_BY.join(', ')}], idle_timeout_ms: 86400000, members_max: 100000}
`

/** An installation over services of its own, with a webhook that fails now and then and a real ticket system. */
export interface World {
  readonly installation: Distributed
  readonly receiver: Receiver
  readonly tracker: RequestTrackerAddress
  readonly queue: string
  remove(): Promise<void>
}

export async function startWorld(): Promise<World> {
  const [kafka, redis, clickhouse, tracker] = await Promise.all([
    startKafka(),
    startRedis(),
    startClickHouse(),
    startRequestTracker(),
  ])
  const [receiver, queue] = await Promise.all([Receiver.start({ statusOf: flaky }), createQueue(tracker)])
  const installation = await Distributed.start({
    services: { kafka, redis, clickhouse },
    name: 'tocsin',
    config: `${RULES}
sinks:
  - {name: pager, kind: webhook, url: '${receiver.url}'}
  - {name: tickets, kind: request-tracker, url: '${tracker.url}', queue: ${queue}, username: ${tracker.username}, password: {env: TRACKER}, min_severity: critical, timeout_ms: 5000}
`,
    environment: { TRACKER: tracker.password },
  })
  return {
    installation,
    receiver,
    tracker,
    queue,
    async remove() {
      await installation.remove()
      receiver.close()
      await Promise.all([kafka, redis, clickhouse, tracker].map((service) => service.stop()))
    },
  }
}
