import type { Random } from './random.ts'

/** Something that is wrong for a while; times count from the beginning of the story. */
export interface Condition {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly generator_url: string
  readonly from_ms: number
  /** null: it outlasts the story. */
  readonly until_ms: number | null
}

const MINUTE_MS = 60_000

/** All alerts of the demo carry it, so that nobody takes them for real. */
export const DEMO_LABELS = { environment: 'demo' }
export const BILLING_JOB = 'invoice-export'

const SHOP = { ...DEMO_LABELS, cluster: 'shop-eu-1', region: 'eu-central-1', prometheus: 'monitoring/shop' }

interface Service {
  readonly name: string
  readonly team: string
  readonly pods: number
  /** Calls between it and the database. */
  readonly hops: number
  /** It works again once db-1 can write a little. */
  readonly recovers: boolean
}

const SERVICES: readonly Service[] = [
  { name: 'payment', team: 'payments', pods: 16, hops: 1, recovers: false },
  { name: 'orders', team: 'checkout', pods: 18, hops: 1, recovers: false },
  { name: 'inventory', team: 'logistics', pods: 14, hops: 1, recovers: true },
  { name: 'cart', team: 'checkout', pods: 16, hops: 2, recovers: true },
  { name: 'pricing', team: 'catalogue', pods: 10, hops: 2, recovers: true },
  { name: 'shipping', team: 'logistics', pods: 12, hops: 2, recovers: false },
  { name: 'checkout', team: 'checkout', pods: 20, hops: 3, recovers: false },
  { name: 'notifications', team: 'platform', pods: 10, hops: 3, recovers: true },
  { name: 'storefront', team: 'web', pods: 12, hops: 4, recovers: false },
]

interface Symptom {
  readonly alertname: string
  readonly severity: string
  readonly after_ms: number
  readonly summary: (service: string, random: Random) => string
  readonly description: string
}

const SYMPTOMS: readonly Symptom[] = [
  {
    alertname: 'ConnectionPoolExhausted',
    severity: 'warning',
    after_ms: 0,
    summary: (service, random) =>
      `${service}: ${40 + random.below(60)} requests wait for a database connection`,
    description: 'All connections of the pool are in use and requests queue for one.',
  },
  {
    alertname: 'HighLatency',
    severity: 'warning',
    after_ms: 45_000,
    summary: (service, random) => `${service}: p99 latency is ${2 + random.below(9)} s`,
    description: 'The 99th percentile of request duration was above 1 s for a minute.',
  },
  {
    alertname: 'HighErrorRate',
    severity: 'critical',
    after_ms: 90_000,
    summary: (service, random) => `${service}: ${12 + random.below(70)} % of requests fail`,
    description: 'More than 5 % of requests were answered with a 5xx status for a minute.',
  },
]

/** The checkout of a shop fails because the disk of its database is full. */
export function outage(random: Random): Condition[] {
  return [...diskFull(), ...SERVICES.flatMap((service) => failing(service, random))]
}

function diskFull(): Condition[] {
  const disk = (
    mountpoint: string,
    severity: string,
    percent: number,
    from_ms: number,
    until_ms: number | null,
  ): Condition => ({
    labels: {
      alertname: 'DiskFull',
      severity,
      ...SHOP,
      namespace: 'shop',
      team: 'databases',
      service: 'db',
      instance: 'db-1',
      job: 'node-exporter',
      device: '/dev/nvme1n1',
      fstype: 'ext4',
      mountpoint,
    },
    annotations: {
      summary: `db-1: ${mountpoint} is ${percent} % full`,
      description: 'PostgreSQL stops accepting writes when its file system is full.',
      runbook_url: 'https://runbooks.example.org/disk-full',
    },
    generator_url: generatorUrl('DiskFull'),
    from_ms,
    until_ms,
  })
  return [
    disk('/var/lib/postgresql', 'warning', 91, 0, null),
    disk('/var/lib/postgresql/wal', 'warning', 93, 0.5 * MINUTE_MS, null),
    disk('/var/lib/postgresql', 'critical', 100, 2 * MINUTE_MS, 14 * MINUTE_MS),
    disk('/var/lib/postgresql/wal', 'critical', 100, 2 * MINUTE_MS, null),
  ]
}

function failing(service: Service, random: Random): Condition[] {
  const replica_set = random.suffix(9)
  return Array.from(
    { length: service.pods },
    () => `${service.name}-${replica_set}-${random.suffix(5)}`,
  ).flatMap((pod) => {
    const begins_ms = (2 + service.hops * 0.75) * MINUTE_MS + random.below(50_000)
    const ends_ms = service.recovers ? 14 * MINUTE_MS + random.below(3 * MINUTE_MS) : null
    const host = `10.42.${random.below(8)}.${2 + random.below(250)}:8080`
    const node = `worker-${1 + random.below(24)}`
    return SYMPTOMS.map((symptom) => ({
      labels: {
        alertname: symptom.alertname,
        severity: symptom.severity,
        ...SHOP,
        namespace: 'shop',
        team: service.team,
        service: service.name,
        pod,
        container: service.name,
        node,
        instance: host,
        job: 'kubernetes-pods',
      },
      annotations: {
        summary: symptom.summary(service.name, random),
        description: symptom.description,
        runbook_url: `https://runbooks.example.org/${symptom.alertname}`,
      },
      generator_url: generatorUrl(symptom.alertname),
      from_ms: begins_ms + symptom.after_ms,
      until_ms: ends_ms,
    }))
  })
}

const LEVELS = [
  { severity: 'info', above_c: 4, from_minute: 4 },
  { severity: 'warning', above_c: 9, from_minute: 8.5 },
  { severity: 'high', above_c: 14, from_minute: 13.5 },
]
const FURNACE_LIMIT_C = 20
const FURNACE_ZONES = 7

/** A furnace drifts towards its limit, zone after zone, and has not reached it when the story ends. */
export function furnace(random: Random): Condition[] {
  return LEVELS.flatMap(({ severity, above_c, from_minute }) =>
    Array.from({ length: FURNACE_ZONES }, (_, i) => ({
      labels: {
        alertname: 'FurnaceTemperatureDrift',
        severity,
        ...DEMO_LABELS,
        site: 'plant-1',
        line: 'hardening-2',
        machine: 'furnace-2',
        zone: String(i + 1),
        sensor: `TC-2${i + 1}`,
        job: 'opcua-gateway',
        team: 'maintenance',
      },
      annotations: {
        summary: `furnace-2 zone ${i + 1} is ${above_c} °C above its set point; the limit is ${FURNACE_LIMIT_C} °C`,
        description:
          'Since the last change of the thermocouple the zone drifts upwards although its heating power falls.',
      },
      generator_url: generatorUrl('FurnaceTemperatureDrift'),
      from_ms: (from_minute + i * 0.4) * MINUTE_MS + random.below(15_000),
      until_ms: null,
    })),
  )
}

/** Three runs of a job fail for a reason of their own. */
export function billing(): Condition[] {
  return [5, 5.5, 6].map((minute, i) => ({
    labels: {
      alertname: 'KubeJobFailed',
      severity: 'warning',
      ...SHOP,
      namespace: 'billing',
      team: 'finance',
      service: BILLING_JOB,
      job_name: `${BILLING_JOB}-${29_384_160 + i}`,
      job: 'kube-state-metrics',
      condition: 'true',
    },
    annotations: {
      summary: `${BILLING_JOB}: run ${i + 1} of tonight failed`,
      description: 'The job used up its retries.',
    },
    generator_url: generatorUrl('KubeJobFailed'),
    from_ms: minute * MINUTE_MS,
    until_ms: null,
  }))
}

function generatorUrl(alertname: string): string {
  return `https://prometheus.example.org/graph?g0.expr=ALERTS%7Balertname%3D%22${alertname}%22%7D&g0.tab=1`
}
