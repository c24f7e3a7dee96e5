import { accessSync, constants } from 'node:fs'
import { connect } from 'node:net'
import type { SinkConfig } from '../schemas/config.ts'
import type { Loaded } from './config.ts'
import { sourceFindings } from './doctor_sources.ts'
import { fail, type Finding, ok, warn } from './finding.ts'

const TIMEOUT_MS = 4_000
/** Fewer entries than this are in the normal run of things. */
const LAG_WORTH_TELLING = 1_000

/** Of brokers whose address names none. */
const MQTT_PORTS: Readonly<Record<string, number>> = {
  'mqtt:': 1_883,
  'mqtts:': 8_883,
  'ws:': 80,
  'wss:': 443,
}

/** Checks every part that the configuration names, side by side, each within seconds. Changes nothing. */
export async function examine(loaded: Loaded, token: string | undefined): Promise<Finding[]> {
  const { config } = loaded
  const checks: Promise<Finding[]>[] = [itself(loaded, token)]
  const brokers = new Set([
    ...(config.kafka?.brokers ?? []),
    ...config.sources.flatMap((source) => (source.kind === 'kafka' && source.cluster?.brokers) || []),
  ])
  for (const broker of brokers)
    checks.push(one(reachable('kafka', broker, 'start the broker, or correct `kafka.brokers`')))
  for (const source of config.sources) {
    if (source.kind !== 'mqtt') continue
    const { hostname, port, protocol } = new URL(source.url)
    const address = `${hostname}:${port === '' ? MQTT_PORTS[protocol] : port}`
    checks.push(one(reachable('mqtt', address, `start the broker, or correct the url of ${source.name}`)))
  }
  if (config.redis) checks.push(one(redis(loaded, config.redis)))
  if (config.clickhouse) checks.push(one(clickhouse(loaded, config.clickhouse)))
  for (const sink of config.sinks) checks.push(one(sinkFinding(loaded, sink)))
  return (await Promise.all(checks)).flat()
}

async function one(finding: Promise<Finding>): Promise<Finding[]> {
  return [await finding]
}

function codeOf(error: unknown): string {
  const { code, cause, name } = error as { code?: string; cause?: { code?: string }; name?: string }
  return code ?? cause?.code ?? name ?? 'unknown'
}

/** The tocsin that should run at this address, and what it says of its own parts. */
async function itself({ config }: Loaded, token: string | undefined): Promise<Finding[]> {
  const url = `http://${config.listen}`
  const folder = config.kafka ? [] : [dataFolder(config.data_dir)]
  try {
    const answer = await fetch(`${url}/-/ready`, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    const running = answer.ok
      ? ok('tocsin', `runs at ${url} and is ready`)
      : fail(
          'tocsin',
          `runs at ${url} but is not ready: ${(await answer.text()).slice(0, 300)}`,
          'mend the part that it names',
        )
    return [running, ...folder, ...(await ownFigures(url, token))]
  } catch (error) {
    return [
      {
        level: 'warn',
        part: 'tocsin',
        detail: `nothing answers at ${url} (${codeOf(error)})`,
        remedy: 'start it with `tocsin start`',
      },
      ...folder,
    ]
  }
}

/** What the running process measures of its own parts: history, lag, halted sources, deliveries that do not get through. */
async function ownFigures(url: string, token: string | undefined): Promise<Finding[]> {
  const ask = (path: string) =>
    fetch(url + path, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
  const answer = await ask('/metrics')
  const remedy = 'set TOCSIN_TOKEN to a token with the role viewer to see lag, history and deliveries'
  if (!answer.ok) return [warn('figures', `/metrics answers ${answer.status}`, remedy)]
  const text = await answer.text()
  const get = async (path: string) => {
    const found = await ask(path)
    return found.ok ? found.json() : null
  }
  const sources = await sourceFindings(get, Date.now())
  return [...historyFigure(text), lagFigure(text), ...stuckFigure(text), ...sources]
}

/** The sum of a metric in a scrape, over the series whose labels contain a text. */
function sumOf(scrape: string, metric: string, labels = ''): number {
  return [...scrape.matchAll(new RegExp(`^${metric}(\\{[^}]*\\})? (\\S+)$`, 'gm'))]
    .filter(([, given]) => (given ?? '').includes(labels))
    .reduce((total, [, , value]) => total + Number(value), 0)
}

function historyFigure(scrape: string): Finding[] {
  if (!/^tocsin_history_up /m.test(scrape)) return []
  if (sumOf(scrape, 'tocsin_history_up') === 1) return [ok('history', 'ClickHouse answers')]
  const detail = 'ClickHouse does not answer; alerts and incidents go on, the history waits'
  return [
    fail(
      'history',
      detail,
      'see the log of tocsin; free disk and memory; npm install chdb when it is missing',
    ),
  ]
}

function lagFigure(scrape: string): Finding {
  const lag = sumOf(scrape, 'tocsin_lag_records')
  if (lag < LAG_WORTH_TELLING) return ok('lag', `${lag} log entries wait`)
  const remedy =
    'it catches up by itself unless this grows; then add workers or see which fold lags in /metrics'
  return warn('lag', `${lag} log entries wait`, remedy)
}

function stuckFigure(scrape: string): Finding[] {
  const states = ['state="retrying"', 'state="failed-for-good"']
  const stuck = states.reduce((total, state) => total + sumOf(scrape, 'tocsin_deliveries', state), 0)
  if (stuck === 0) return []
  const remedy = 'see /api/v1/deliveries?state=retrying for the sink and the code'
  return [warn('deliveries', `${stuck} deliveries do not get through`, remedy)]
}

function dataFolder(data_dir: string): Finding {
  try {
    accessSync(data_dir, constants.R_OK | constants.W_OK)
    return ok('data', `${data_dir} can be written`)
  } catch (error) {
    if (codeOf(error) === 'ENOENT')
      return {
        level: 'warn',
        part: 'data',
        detail: `${data_dir} is not there yet`,
        remedy: 'it is made at the first start',
      }
    return fail('data', `${data_dir} cannot be written (${codeOf(error)})`, 'change its owner or `data_dir`')
  }
}

/** Whether somebody listens: enough to tell a wrong address or a stopped server. */
function reachable(part: string, address: string, remedy: string): Promise<Finding> {
  const split = address.lastIndexOf(':')
  return new Promise((resolve) => {
    const socket = connect({
      host: address.slice(0, split).replace(/^\[|\]$/g, ''),
      port: Number(address.slice(split + 1)),
      timeout: TIMEOUT_MS,
    })
    const end = (finding: Finding) => {
      socket.destroy()
      resolve(finding)
    }
    socket.once('connect', () => end(ok(part, `${address} answers`)))
    socket.once('timeout', () =>
      end(fail(part, `${address} does not answer within ${TIMEOUT_MS} ms`, remedy)),
    )
    socket.once('error', (error) =>
      end(fail(part, `${address} cannot be reached (${codeOf(error)})`, remedy)),
    )
  })
}

async function redis({ secret }: Loaded, settings: NonNullable<Loaded['config']['redis']>): Promise<Finding> {
  const { Redis } = await import('ioredis')
  const client = new Redis(settings.url, {
    lazyConnect: true,
    connectTimeout: TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    ...(settings.password && { password: secret(settings.password) }),
  })
  const where = `${client.options.host}:${client.options.port}`
  // Without a listener the client prints what connect() throws anyway.
  client.on('error', () => {})
  try {
    await client.connect()
    const policy = (await client.config('GET', 'maxmemory-policy'))[1]
    if (policy !== 'noeviction')
      return fail(
        'redis',
        `${where} evicts keys (maxmemory-policy ${policy})`,
        'redis-cli config set maxmemory-policy noeviction, and in redis.conf',
      )
    return ok('redis', `${where} answers and evicts nothing`)
  } catch (error) {
    return fail(
      'redis',
      `${where} cannot be used (${codeOf(error)})`,
      'start Redis, or correct `redis.url` and its password',
    )
  } finally {
    client.disconnect()
  }
}

async function clickhouse(
  { secret }: Loaded,
  settings: NonNullable<Loaded['config']['clickhouse']>,
): Promise<Finding> {
  const where = new URL(settings.url).host
  try {
    const headers = {
      'x-clickhouse-user': settings.username,
      'x-clickhouse-key': settings.password ? secret(settings.password) : '',
    }
    const answer = await fetch(new URL('/?query=SELECT%20version()', settings.url), {
      headers,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const text = (await answer.text()).trim().slice(0, 200)
    return answer.ok
      ? ok('clickhouse', `${where} answers, version ${text}`)
      : fail(
          'clickhouse',
          `${where} refuses (${answer.status}, ${answer.headers.get('x-clickhouse-exception-code') ?? 'no code'})`,
          'correct `clickhouse.username` and its password',
        )
  } catch (error) {
    return fail(
      'clickhouse',
      `${where} cannot be reached (${codeOf(error)})`,
      'start ClickHouse, or correct `clickhouse.url`; meanwhile alerts and incidents go on without history',
    )
  }
}

async function sinkFinding({ secret, config }: Loaded, sink: SinkConfig): Promise<Finding> {
  const part = `sink ${sink.name}`
  if (sink.kind === 'kafka') {
    const [broker = ''] = sink.cluster?.brokers ?? config.kafka?.brokers ?? []
    return reachable(part, broker, `start the broker, or correct \`cluster\` of ${sink.name}`)
  }
  const url = new URL(sink.url)
  if (sink.kind === 'webhook') {
    const port = url.port || (url.protocol === 'https:' ? '443' : '80')
    return reachable(
      part,
      `${url.hostname}:${port}`,
      `start what listens there, or correct the url of ${sink.name}`,
    )
  }
  try {
    const authorization = sink.token
      ? `token ${secret(sink.token)}`
      : `Basic ${Buffer.from(`${sink.username ?? ''}:${sink.password ? secret(sink.password) : ''}`).toString('base64')}`
    const answer = await fetch(
      new URL(`${url.pathname.replace(/\/$/, '')}/REST/2.0/queue/${encodeURIComponent(sink.queue)}`, url),
      { headers: { authorization }, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) },
    )
    await answer.arrayBuffer()
    if (answer.ok) return ok(part, `Request Tracker at ${url.host} answers and has the queue ${sink.queue}`)
    if (answer.status === 401)
      return fail(part, `${url.host} refuses the login (401)`, 'correct username and password, or the token')
    return fail(
      part,
      `${url.host} answers ${answer.status} for the queue ${sink.queue}`,
      'correct `queue`, or the rights of the user',
    )
  } catch (error) {
    return fail(
      part,
      `${url.host} cannot be reached (${codeOf(error)})`,
      'start it, or correct its url; incidents wait and are delivered later',
    )
  }
}
