/** A real Mosquitto 2 (MQTT) that keeps its sessions in a file, so that it has them again after a kill. */
import { pbkdf2Sync, randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
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

export interface MosquittoAddress {
  /** `mqtt://host:port` */
  readonly url: string
}

const PROBE_TIMEOUT_MS = 1_000
const CONTAINER_PORT = 1883
const DATA = '/mosquitto/data'

/** Who may speak to it: everybody, unless a login or a certificate is given (PEM; the server's own, which is its authority as well). */
export interface MosquittoOptions {
  readonly login?: { readonly username: string; readonly password: string }
  readonly tls?: { readonly cert: string; readonly key: string }
}

/** As `mosquitto_passwd` writes it. */
function passwords({ username, password }: NonNullable<MosquittoOptions['login']>): string {
  const salt = randomBytes(12)
  const hash = pbkdf2Sync(password, salt, 101, 64, 'sha512')
  return `${username}:$7$101$${salt.toString('base64')}$${hash.toString('base64')}\n`
}

function settings(port: number, folder: string, { login, tls }: MosquittoOptions): string {
  const lines = [
    `listener ${port}`,
    login === undefined ? 'allow_anonymous true' : `password_file ${folder}/passwords`,
    ...(tls === undefined ? [] : [`certfile ${folder}/cert.pem`, `keyfile ${folder}/key.pem`]),
    'user root',
    'persistence true',
    `persistence_location ${folder}/`,
    'autosave_on_changes true',
    'autosave_interval 1',
    'max_queued_messages 0',
  ]
  return `${lines.join('\n')}\n`
}

/** A Mosquitto of its own for one test file, in Docker or from the machine's mosquitto. */
export async function startMosquitto(options: MosquittoOptions = {}): Promise<MosquittoAddress & Controls> {
  const port = await freePort()
  const probe = () => (options.tls === undefined ? mosquittoAnswers(port) : listens(port))
  const { login, tls } = options
  const files = (folder: string, own_port: number): Readonly<Record<string, string>> => ({
    'mosquitto.conf': settings(own_port, folder, options),
    ...(login && { passwords: passwords(login) }),
    ...(tls && { 'cert.pem': tls.cert, 'key.pem': tls.key }),
  })
  const inside = Object.entries(files(DATA, CONTAINER_PORT))
  const writes = inside.map(([name], i) => `printf '%s' "$FILE_${i}" >${DATA}/${name}`)
  const container = {
    image: 'eclipse-mosquitto:2',
    container_port: CONTAINER_PORT,
    host_port: port,
    environment: Object.fromEntries(inside.map(([, text], i) => [`FILE_${i}`, text])),
    command: ['sh', '-c', [...writes, `exec mosquitto -c ${DATA}/mosquitto.conf`].join(' && ')],
  }
  const controls =
    (await runContainer('Mosquitto', container, probe)) ??
    (await startLocal((folder) => files(folder, port), probe))
  return { url: `${tls === undefined ? 'mqtt' : 'mqtts'}://localhost:${port}`, ...controls }
}

async function startLocal(
  files: (folder: string) => Readonly<Record<string, string>>,
  probe: () => Promise<boolean>,
): Promise<Controls> {
  if (!programExists('mosquitto'))
    throw new Unavailable(
      'Mosquitto is not installed: apt-get install mosquitto, or set TOCSIN_TEST_MQTT=mqtt://host:port',
    )
  const folder = await temporaryFolder('mosquitto')
  for (const [name, text] of Object.entries(files(folder))) await writeFile(join(folder, name), text)
  const argv = ['-c', join(folder, 'mosquitto.conf')]
  return run('Mosquitto', localRunner({ command: 'mosquitto', arguments: argv, folder }), probe)
}

/** With TLS the handshake is the test's business. */
function listens(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ host: '127.0.0.1', port }, () => {
      socket.destroy()
      done(true)
    })
    socket.once('error', () => done(false))
  })
}

/** CONNECT of MQTT 3.1.1 without a client id; CONNACK begins with 0x20. */
const CONNECT = Buffer.from([0x10, 12, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 10, 0, 0])

function mosquittoAnswers(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: PROBE_TIMEOUT_MS }, () =>
      socket.write(CONNECT),
    )
    const answer = (ready: boolean) => {
      socket.destroy()
      done(ready)
    }
    socket.once('data', (data) => answer(data[0] === 0x20))
    socket.once('timeout', () => answer(false))
    socket.once('close', () => answer(false))
    socket.once('error', () => answer(false))
  })
}
