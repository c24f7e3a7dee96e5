/** A real Prometheus and a shop that it watches, with the files of docs/first-hour.md. */
import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, programExists, temporaryFolder, Unavailable } from '../services/runner.ts'
import { endProgram, startProgram, until } from '../installation/processes.ts'

const FOLDER = fileURLToPath(new URL('../../deploy/first-hour/', import.meta.url))

/** A file of the walk-through with other addresses in it, each of which it must hold. */
export async function fileOfFirstHour(
  name: string,
  replacements: Readonly<Record<string, string>>,
): Promise<string> {
  let text = await readFile(join(FOLDER, name), 'utf8')
  for (const [from, to] of Object.entries(replacements)) {
    if (!text.includes(from)) throw new Error(`deploy/first-hour/${name} holds no ${from}`)
    text = text.replaceAll(from, to)
  }
  return text
}

/** Throws Unavailable. */
export function needPrometheus(): void {
  const missing = ['prometheus', 'amtool'].filter((name) => !programExists(name))
  if (missing.length > 0)
    throw new Unavailable(
      `${missing.join(' and ')} not installed: apt-get install prometheus prometheus-alertmanager`,
    )
}

export interface Monitoring {
  /** Sets the length of one of the shop's queues, `orders` or `payments`. */
  setQueue(queue: string, length: number): Promise<void>
  stop(): Promise<void>
}

/** Starts both; alerts go to the given address, and the node exporter's is one where nothing answers. */
export async function startMonitoring(alertmanager: string): Promise<Monitoring> {
  const folder = await temporaryFolder('prometheus')
  const [prometheus, shop, nothing] = (await Promise.all([freePort(), freePort(), freePort()])).map(
    (port) => `127.0.0.1:${port}`,
  ) as [string, string, string]
  const addresses = {
    '127.0.0.1:7600': alertmanager,
    '127.0.0.1:9190': prometheus,
    '127.0.0.1:9191': shop,
    '127.0.0.1:9100': nothing,
  }
  await writeFile(join(folder, 'prometheus.yml'), await fileOfFirstHour('prometheus.yml', addresses))
  await cp(join(FOLDER, 'rules.yml'), join(folder, 'rules.yml'))
  const options = [
    '--config.file',
    join(folder, 'prometheus.yml'),
    '--storage.tsdb.path',
    join(folder, 'data'),
    '--web.listen-address',
    prometheus,
  ]
  const programs = [
    startProgram(
      [process.execPath, join(FOLDER, 'shop.ts'), shop.slice(shop.indexOf(':') + 1)],
      {},
      () => {},
    ),
    startProgram(['prometheus', ...options], {}, () => {}),
  ]
  const stop = async () => {
    await Promise.all(programs.map((program) => endProgram(program, 'SIGKILL')))
    await rm(folder, { recursive: true, force: true })
  }
  try {
    for (const url of [`http://${shop}/metrics`, `http://${prometheus}/-/ready`])
      await until(`${url} answers`, async () => (await fetch(url)).ok)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    async setQueue(queue, length) {
      const response = await fetch(`http://${shop}/queues/${queue}?length=${length}`, { method: 'POST' })
      if (!response.ok) throw new Error(`the shop has no queue ${queue}`)
    },
    stop,
  }
}
