/**
 * The embedded ClickHouse: the engine of the npm package `chdb` in a child process that serves ClickHouse's own HTTP
 * protocol on 127.0.0.1, so that `@clickhouse/client` speaks to it as to any server.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { writeEngineConfig } from './clickhouse_config.ts'
import { type EngineProcess, errorCode, findEngine, kill, lastLine, launch } from './clickhouse_engine.ts'
import { Misconfigured, Retryable } from './errors.ts'

export interface EmbeddedClickHouseOptions {
  /** Owned by one server at a time; made when it is missing. */
  readonly data_dir: string
  /** Called once if the server ends without having been stopped. */
  readonly on_exit: (reason: string) => void
  /** One line of text, without line end. */
  readonly log: (line: string) => void
  /** Default: a free one. Give port and passwords of the start before and clients reconnect by themselves. */
  readonly port?: number
  /** Default: random. */
  readonly password?: string
  readonly reader_password?: string
  readonly memory_max_bytes?: number
}

export interface EmbeddedClickHouse {
  readonly url: string
  readonly port: number
  /** May do everything. */
  readonly username: string
  /** May only select from tables: no writing, no files, no network. */
  readonly reader_username: string
  readonly password: string
  readonly reader_password: string
  readonly pid: number
  /** Kills the server and waits for its end. What a query was told to be done is on disk. */
  stop(): Promise<void>
}

const USERNAME = 'tocsin'
const READER_USERNAME = 'reader'
const MEMORY_MAX_BYTES = 2 * 1024 ** 3
const START_TIMEOUT_MS = 60_000
const PING_INTERVAL_MS = 50
const PING_TIMEOUT_MS = 2_000
const PORT_ATTEMPTS = 5
/** ClickHouse's error codes, src/Common/ErrorCodes.cpp. */
const CANNOT_OPEN_FILE = 76
const NETWORK_ERROR = 210
/**
 * Starts the engine and resolves when it answers. Throws Misconfigured `clickhouse-not-installed`,
 * `clickhouse-dir-in-use`, `clickhouse-dir-unusable`, `clickhouse-port-in-use`; Retryable `clickhouse-start-failed`.
 */
export async function startEmbeddedClickHouse(
  options: EmbeddedClickHouseOptions,
): Promise<EmbeddedClickHouse> {
  const library_path = await findEngine()
  const data_dir = resolve(options.data_dir)
  await makeDataDir(data_dir)
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort())
    const retry_port = options.port === undefined && attempt < PORT_ATTEMPTS
    const started = await startOnPort({ ...options, data_dir }, library_path, port, retry_port)
    if (started !== undefined) return started
  }
}

function randomPassword(): string {
  return randomBytes(24).toString('base64url')
}

/** Undefined when somebody took the port meanwhile and another may be tried. */
async function startOnPort(
  options: EmbeddedClickHouseOptions,
  library_path: string,
  port: number,
  retry_port: boolean,
) {
  const password = options.password ?? randomPassword()
  const reader_password = options.reader_password ?? randomPassword()
  const instance = randomBytes(16).toString('hex')
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-clickhouse-'))
  try {
    const config_path = await writeEngineConfig(folder, {
      username: USERNAME,
      reader_username: READER_USERNAME,
      password,
      reader_password,
      instance,
      memory_max_bytes: options.memory_max_bytes ?? MEMORY_MAX_BYTES,
    })
    const attempt = launch(options.data_dir, library_path, config_path, port)
    const reason = await untilReady(attempt, { port, password, instance })
    if (reason === undefined) return supervise(attempt, options, port, { password, reader_password })
    await kill(attempt)
    const code = errorCode(attempt.complaint())
    if (code === NETWORK_ERROR && retry_port) return undefined
    throw await startError(options.data_dir, port, code, `${reason}; ${lastLine(attempt.complaint())}`)
  } finally {
    // The engine has read its configuration by now; no password stays on disk.
    await rm(folder, { recursive: true, force: true })
  }
}

/** Resolves with undefined when our own server answers, or with the reason why it will not. */
async function untilReady(
  attempt: EngineProcess,
  expected: { port: number; password: string; instance: string },
) {
  let reason: string | undefined
  void attempt.ended.then((why) => {
    reason = `the server ended (${why})`
  })
  const give_up = AbortSignal.timeout(START_TIMEOUT_MS)
  while (reason === undefined) {
    if ((await ask(expected, "SELECT getMacro('instance')")) === expected.instance) return undefined
    if (give_up.aborted) return `no answer within ${START_TIMEOUT_MS} ms`
    await new Promise((done) => setTimeout(done, PING_INTERVAL_MS))
  }
  return reason
}

async function ask(server: { port: number; password: string }, query: string): Promise<string | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${server.port}/`, {
      method: 'POST',
      body: query,
      redirect: 'error',
      headers: { 'x-clickhouse-user': USERNAME, 'x-clickhouse-key': server.password },
      signal: AbortSignal.timeout(PING_TIMEOUT_MS),
    })
    const text = await response.text()
    return response.ok ? text.trim() : undefined
  } catch {
    // Not listening yet, or another server that does not speak HTTP: the caller asks again until its deadline.
    return undefined
  }
}

function supervise(
  attempt: EngineProcess,
  options: EmbeddedClickHouseOptions,
  port: number,
  passwords: Pick<EmbeddedClickHouse, 'password' | 'reader_password'>,
): EmbeddedClickHouse {
  const { child } = attempt
  const pid = child.pid
  if (pid === undefined) throw new Error('a running ClickHouse has no process id')
  let stopping = false
  void attempt.ended.then((reason) => {
    if (stopping) return
    options.log(`ClickHouse (process ${pid}) ended: ${reason}`)
    options.on_exit(reason)
  })
  options.log(`ClickHouse (process ${pid}) answers at http://127.0.0.1:${port}`)
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    username: USERNAME,
    reader_username: READER_USERNAME,
    ...passwords,
    pid,
    stop() {
      stopping = true
      return kill(attempt)
    },
  }
}

async function makeDataDir(data_dir: string): Promise<void> {
  try {
    await mkdir(data_dir, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new Misconfigured(
      'clickhouse-dir-unusable',
      `cannot make the ClickHouse folder ${data_dir}: ${String(error)}`,
    )
  }
}

async function startError(
  data_dir: string,
  port: number,
  code: number | undefined,
  detail: string,
): Promise<Error> {
  if (code === CANNOT_OPEN_FILE) {
    const owner = await owningProcess(data_dir)
    return owner === undefined
      ? new Misconfigured(
          'clickhouse-dir-unusable',
          `ClickHouse cannot use its folder ${data_dir}: ${detail}`,
        )
      : new Misconfigured(
          'clickhouse-dir-in-use',
          `${data_dir} is in use by another ClickHouse (process ${owner}): stop that one, or choose another data directory`,
        )
  }
  if (code === NETWORK_ERROR)
    return new Misconfigured(
      'clickhouse-port-in-use',
      `ClickHouse cannot listen on 127.0.0.1:${port}: ${detail}`,
    )
  return new Retryable('clickhouse-start-failed', `ClickHouse in ${data_dir} did not start: ${detail}`)
}

/** The live process that holds the folder, from the `status` file that ClickHouse locks while it runs. */
async function owningProcess(data_dir: string): Promise<number | undefined> {
  const status = await readFile(join(data_dir, 'status'), 'utf8').catch(() => '')
  const pid = Number(/^PID: (\d+)$/m.exec(status)?.[1])
  if (!Number.isInteger(pid)) return undefined
  try {
    process.kill(pid, 0)
    return pid
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? pid : undefined
  }
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer().once('error', fail)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        address !== null && typeof address === 'object' ? done(address.port) : fail(new Error('no port')),
      )
    })
  })
}
