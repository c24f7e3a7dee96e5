import { seeded } from './random.ts'

/** One alert as Prometheus sends it to an Alertmanager. */
export interface SentAlert {
  labels: Record<string, string>
  annotations: Record<string, string>
  startsAt: string
  endsAt?: string
  generatorURL: string
}

const NAMES = [
  'HighErrorRate',
  'HighLatency',
  'PodCrashLooping',
  'NodeDiskPressure',
  'TargetDown',
  'QueueBacklog',
  'CertificateExpiry',
  'ReplicaMismatch',
  'MemoryPressure',
  'CpuThrottling',
]
const SEVERITIES = ['critical', 'warning', 'warning', 'warning', 'info']
const TEAMS = ['checkout', 'search', 'platform', 'payments', 'data']

export interface LoadShape {
  readonly seed: number
  /** Different alerts in all. */
  readonly distinct: number
  /** Alerts share name and cluster in groups of about this many different alerts. */
  readonly per_group: number
  readonly started_at_ms: number
  /** Part of every pod's name, so that what is new in one run was not sent in another. */
  readonly run?: string
}

/** The `i`-th different alert of a load: 8 to 15 labels, about 400 bytes as JSON. */
export function alertOf(shape: LoadShape, i: number): SentAlert {
  const random = seeded(shape.seed * 1_000_003 + i)
  const group = Math.floor(i / shape.per_group)
  const name = NAMES[group % NAMES.length] as string
  const service = `svc-${group % 97}`
  const labels: Record<string, string> = {
    alertname: name,
    cluster: `cluster-${group % 4}`,
    namespace: `ns-${group % 23}`,
    service,
    group: `g${group}`,
    pod: `${service}-${shape.run ?? ''}${Math.floor(random() * 0xffffff).toString(16)}-${i}`,
    instance: `10.${group % 256}.${i % 256}.${Math.floor(i / 256) % 256}:9100`,
    severity: SEVERITIES[Math.floor(random() * SEVERITIES.length)] as string,
  }
  const extra = Math.floor(random() * 8)
  const more = ['job', 'team', 'region', 'zone', 'container', 'endpoint', 'version']
  for (let n = 0; n < extra && n < more.length; n++)
    labels[more[n] as string] = n === 1 ? (TEAMS[i % TEAMS.length] as string) : `${more[n]}-${i % 11}`
  return {
    labels,
    annotations: {
      summary: `${name} on ${labels['pod']}`,
      description: `${service} has been in state ${name} for more than 5 minutes${i % 50 === 0 ? '（超过五分钟）' : ''}.`,
    },
    startsAt: new Date(shape.started_at_ms + (i % 1_000)).toISOString(),
    generatorURL: `http://prometheus.example/graph?g0.expr=${name}`,
  }
}

/**
 * Which alert comes when: every different alert once, early in its burst, the rest repeats with a heavy tail
 * (a few alerts repeat very often). Yields indices below `distinct`, `total` of them.
 */
export function* order(shape: LoadShape, total: number): Generator<number> {
  const random = seeded(shape.seed)
  let fresh = 0
  for (let n = 0; n < total; n++) {
    const left = total - n
    const due = shape.distinct - fresh
    if (due > 0 && (left <= due || random() < (2 * due) / left || fresh === 0)) yield fresh++
    else yield Math.min(fresh - 1, Math.floor(fresh * random() ** 3))
  }
}
