/** Services in containers, where a Docker engine answers. */
import { execFile } from 'node:child_process'
import { request } from 'node:http'
import { promisify } from 'node:util'
import type { StartedTestContainer } from 'testcontainers'
import { type Controls, type Runner, run } from './runner.ts'

export interface Container {
  readonly image: string
  readonly container_port: number
  readonly host_port: number
  readonly environment?: Readonly<Record<string, string>>
  readonly command?: readonly string[]
}

const ENGINE_SOCKET = '/var/run/docker.sock'
const PING_TIMEOUT_MS = 1_000
const docker = promisify(execFile)

let engine: Promise<boolean> | undefined

/** Undefined when there is no Docker engine, or it cannot run this image: the local program is next in the order. */
export async function runContainer(
  name: string,
  container: Container,
  probe: () => Promise<boolean>,
): Promise<Controls | undefined> {
  engine ??= engineAnswers()
  if (!(await engine)) return undefined
  try {
    return await run(name, containerRunner(container), probe)
  } catch (error) {
    console.warn(`${name} does not run in Docker here (${String(error)}); trying without.`)
    return undefined
  }
}

function engineAnswers(): Promise<boolean> {
  if (process.env['DOCKER_HOST'] !== undefined) return Promise.resolve(true)
  return new Promise((done) => {
    const ping = request(
      { socketPath: ENGINE_SOCKET, path: '/_ping', timeout: PING_TIMEOUT_MS },
      (response) => {
        response.resume()
        done(response.statusCode === 200)
      },
    )
    ping.once('timeout', () => ping.destroy(new Error('timeout')))
    ping.once('error', () => done(false))
    ping.end()
  })
}

/** Testcontainers starts it and removes it even when this process is killed; the faults go through the docker command. */
function containerRunner(container: Container): Runner {
  let started: StartedTestContainer | undefined
  const tell = async (verb: string) => {
    if (started !== undefined) await docker('docker', [verb, started.getId()])
  }
  return {
    async launch() {
      if (started !== undefined) return tell('start')
      const { GenericContainer } = await import('testcontainers')
      const defined = new GenericContainer(container.image)
        .withExposedPorts({ container: container.container_port, host: container.host_port })
        .withEnvironment({ ...container.environment })
      started = await (container.command === undefined
        ? defined
        : defined.withCommand([...container.command])
      ).start()
    },
    // A container that ended already is what was asked for.
    kill: () => tell('kill').catch(() => {}),
    pause: () => tell('pause'),
    resume: () => tell('unpause'),
    async remove() {
      await started?.stop()
    },
    ended: () => undefined,
  }
}
