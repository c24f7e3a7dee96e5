/** A real Request Tracker 5 from Debian's packages, with a fresh SQLite database. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  type Controls,
  freePort,
  localRunner,
  run,
  temporaryFolder,
  Unavailable,
  uniqueName,
} from './runner.ts'

export interface RequestTrackerAddress {
  /** Without the path of the API, `/REST/2.0`. */
  readonly url: string
  readonly username: string
  readonly password: string
}

const SERVER = '/usr/share/request-tracker5/libexec/rt-server'
const SETUP = '/usr/sbin/rt-setup-database-5'
const exec = promisify(execFile)

/** A Request Tracker of its own. It answers one request at a time. */
export async function startRequestTracker(): Promise<RequestTrackerAddress & Controls> {
  if (!existsSync(SERVER) || !existsSync(SETUP))
    throw new Unavailable(
      'Request Tracker is not installed: apt-get install request-tracker5 rt5-db-sqlite rt5-standalone, or set TOCSIN_TEST_RT=http://user:password@host:port',
    )
  const port = await freePort()
  const folder = await temporaryFolder('request-tracker')
  const config_path = join(folder, 'RT_SiteConfig.pm')
  await writeFile(config_path, siteConfig(port, join(folder, 'database')))
  // The second one keeps the machine's own installation out of it.
  const environment = { RT_SITE_CONFIG: config_path, RT_SITE_CONFIG_DIR: '/dev/null' }
  await exec('perl', [SETUP, '--action', 'init', '--force'], { env: { ...process.env, ...environment } })
  const program = {
    command: SERVER,
    arguments: ['--server', 'Standalone', '--host', '127.0.0.1', '--port', String(port)],
    folder,
    environment,
  }
  // The password is the one that its initial data give to root.
  const address = { url: `http://127.0.0.1:${port}`, username: 'root', password: 'password' }
  const controls = await run(
    'Request Tracker',
    localRunner(program),
    async () => (await call(address, 'GET', 'rt')).ok,
  )
  return { ...address, ...controls }
}

/** A queue that no other test uses; returns its name. */
export async function createQueue(address: RequestTrackerAddress): Promise<string> {
  const name = uniqueName('queue')
  const response = await call(address, 'POST', 'queue', { Name: name })
  if (response.status !== 201)
    throw new Error(`Request Tracker made no queue: ${response.status} ${await response.text()}`)
  return name
}

/** One request to the REST 2.0 API, to look at what a sink left there. */
export function call(
  address: RequestTrackerAddress,
  method: string,
  path: string,
  body?: unknown,
): Promise<Response> {
  const credentials = Buffer.from(`${address.username}:${address.password}`).toString('base64')
  return fetch(`${address.url}/REST/2.0/${path}`, {
    method,
    headers: { authorization: `Basic ${credentials}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}

function siteConfig(port: number, database: string): string {
  return `Set($rtname, 'tocsin-test');
Set($Organization, 'tocsin-test');
Set($WebDomain, '127.0.0.1');
Set($WebPort, ${port});
Set($WebPath, '');
Set($DatabaseType, 'SQLite');
Set($DatabaseName, '${database}');
Set($MailCommand, 'testfile');
Set($LogToSyslog, undef);
Set($LogToFile, undef);
Set($LogToSTDERR, 'error');
1;
`
}
