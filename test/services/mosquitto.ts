/** A real Mosquitto 2 (MQTT) that keeps its sessions in a file, so that it has them again after a kill. */
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

const settings = (port: number, folder: string): string =>
  [
    `listener ${port}`,
    'allow_anonymous true',
    'user root',
    'persistence true',
    `persistence_location ${folder}/`,
    'autosave_on_changes true',
    'autosave_interval 1',
    'max_queued_messages 0',
    '',
  ].join('\n')

/** A Mosquitto of its own for one test file, in Docker or from the machine's mosquitto. */
export async function startMosquitto(): Promise<MosquittoAddress & Controls> {
  const port = await freePort()
  const probe = () => mosquittoAnswers(port)
  const script = `printf '%s' "$SETTINGS" >/tmp/tocsin.conf && exec mosquitto -c /tmp/tocsin.conf`
  const container = {
    image: 'eclipse-mosquitto:2',
    container_port: CONTAINER_PORT,
    host_port: port,
    environment: { SETTINGS: settings(CONTAINER_PORT, '/mosquitto/data') },
    command: ['sh', '-c', script],
  }
  const controls = (await runContainer('Mosquitto', container, probe)) ?? (await startLocal(port, probe))
  return { url: `mqtt://127.0.0.1:${port}`, ...controls }
}

async function startLocal(port: number, probe: () => Promise<boolean>): Promise<Controls> {
  if (!programExists('mosquitto'))
    throw new Unavailable(
      'Mosquitto is not installed: apt-get install mosquitto, or set TOCSIN_TEST_MQTT=mqtt://host:port',
    )
  const folder = await temporaryFolder('mosquitto')
  const file = join(folder, 'mosquitto.conf')
  await writeFile(file, settings(port, folder))
  return run('Mosquitto', localRunner({ command: 'mosquitto', arguments: ['-c', file], folder }), probe)
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
