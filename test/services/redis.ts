/** A real Redis 7 with an append-only file, so that it has its data again after a kill. */
import { connect } from 'node:net'
import { runContainer } from './docker.ts'
import {
  type Controls,
  freePort,
  localRunner,
  programExists,
  run,
  temporaryFolder,
  Unavailable,
} from './runner.ts'

export interface RedisAddress {
  readonly host: string
  readonly port: number
}

export interface RedisOptions {
  /** `always` (the default) loses nothing that was acknowledged; `everysec` may lose a second. */
  readonly appendfsync?: 'always' | 'everysec'
  /** Further options of redis-server. */
  readonly arguments?: readonly string[]
}

const PROBE_TIMEOUT_MS = 1_000

/** A Redis of its own for one test file, in Docker or from the machine's redis-server. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisAddress & Controls> {
  const address = { host: '127.0.0.1', port: await freePort() }
  const common = [
    ...['--save', '', '--appendonly', 'yes', '--appendfsync', options.appendfsync ?? 'always'],
    ...['--maxmemory-policy', 'noeviction', ...(options.arguments ?? [])],
  ]
  const probe = () => redisAnswers(address)
  const container = {
    image: 'redis:7',
    container_port: 6379,
    host_port: address.port,
    command: ['redis-server', ...common],
  }
  const controls =
    (await runContainer('Redis', container, probe)) ?? (await startLocal(address, common, probe))
  return { ...address, ...controls }
}

async function startLocal(
  address: RedisAddress,
  common: readonly string[],
  probe: () => Promise<boolean>,
): Promise<Controls> {
  if (!programExists('redis-server'))
    throw new Unavailable(
      'Redis is not installed: apt-get install redis-server, or set TOCSIN_TEST_REDIS=host:port',
    )
  const folder = await temporaryFolder('redis')
  const own = ['--bind', address.host, '--port', String(address.port), '--dir', folder]
  return run('Redis', localRunner({ command: 'redis-server', arguments: [...own, ...common], folder }), probe)
}

/** While it loads its file it answers PING with an error, which is not ready yet. */
function redisAnswers(address: RedisAddress): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ ...address, timeout: PROBE_TIMEOUT_MS }, () => socket.write('PING\r\n'))
    const answer = (ready: boolean) => {
      socket.destroy()
      done(ready)
    }
    socket.once('data', (data) => answer(data.toString().startsWith('+PONG')))
    socket.once('timeout', () => answer(false))
    socket.once('close', () => answer(false))
    socket.once('error', () => answer(false))
  })
}
