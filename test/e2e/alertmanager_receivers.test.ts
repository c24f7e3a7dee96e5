import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { sourceDecoder } from '../../ingest/source_decoder.ts'
import type { Member } from '../../schemas/incident.ts'
import { startWorld, type World } from '../api/world.ts'
import { endProgram, startProgram, until } from '../installation/processes.ts'
import { describeWith } from '../services/index.ts'
import { freePort, programExists, temporaryFolder, Unavailable } from '../services/runner.ts'

/** A real Alertmanager that sends to what it takes for its own webhook, for PagerDuty and for Opsgenie. */

const TIMEOUT_MS = 120_000

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function needAlertmanager(): Promise<string> {
  const program = ['alertmanager', 'prometheus-alertmanager'].find((name) => programExists(name))
  if (program === undefined)
    throw new Unavailable('Alertmanager not installed: apt-get install prometheus-alertmanager')
  return program
}

const configuration = (tocsin: string): string => `
route: {receiver: everything, group_by: ['...'], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
receivers:
  - name: everything
    webhook_configs: [{url: '${tocsin}/api/v1/sources/alertmanager', send_resolved: true}]
    pagerduty_configs: [{url: '${tocsin}/v2/enqueue', routing_key: team, severity: '{{ .CommonLabels.severity }}'}]
    opsgenie_configs: [{api_url: '${tocsin}/', api_key: team, priority: P2}]
`

async function start(program: string): Promise<{ readonly world: World; readonly alertmanager: string }> {
  const source = { format: 'alertmanager-webhook', labels: {}, expire_after_ms: 3_600_000 } as const
  const world = await startWorld({
    sources: [{ name: 'alertmanager', decode: sourceDecoder(source), proof: null }],
  })
  ends.push(() => world.close())
  const folder = await temporaryFolder('alertmanager')
  ends.push(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'alertmanager.yml'), configuration(world.url))
  const address = `127.0.0.1:${await freePort()}`
  const options = [
    `--config.file=${join(folder, 'alertmanager.yml')}`,
    `--storage.path=${join(folder, 'data')}`,
    `--web.listen-address=${address}`,
    '--cluster.listen-address=',
  ]
  const child = startProgram([program, ...options], {}, () => {})
  ends.push(() => endProgram(child, 'SIGKILL'))
  const alertmanager = `http://${address}`
  await until('Alertmanager is ready', async () => (await fetch(`${alertmanager}/-/ready`)).ok)
  return { world, alertmanager }
}

async function tell(alertmanager: string, ends_at_ms: number): Promise<void> {
  const alert = {
    labels: { alertname: 'DiskFull', instance: 'db-1', severity: 'critical' },
    annotations: { summary: 'The disk of db-1 is full' },
    startsAt: new Date(Date.now() - 60_000).toISOString(),
    endsAt: new Date(ends_at_ms).toISOString(),
  }
  const response = await fetch(`${alertmanager}/api/v2/alerts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([alert]),
  })
  expect(response.status).toBe(200)
}

/** By which of the three ways an alert came. */
function wayOf({ labels }: Member): string {
  if (labels['pagerduty_key'] !== undefined) return 'pagerduty'
  return labels['opsgenie_alias'] === undefined ? 'webhook' : 'opsgenie'
}

await describeWith(needAlertmanager, 'a real Alertmanager', (program) => {
  it('opens and ends alerts by each way that it knows', { timeout: TIMEOUT_MS }, async () => {
    const { world, alertmanager } = await start(program)
    const members = () => [...world.live.all()].flatMap((incident) => incident.members)
    const ways = (firing: boolean) =>
      members()
        .filter((member) => member.firing === firing)
        .map(wayOf)
        .sort()
        .join()
    await tell(alertmanager, Date.now() + 600_000)
    await until('all three fire', () => ways(true) === 'opsgenie,pagerduty,webhook')
    const severities = Object.fromEntries(members().map((member) => [wayOf(member), member.severity]))
    expect(severities).toEqual({ webhook: 'critical', pagerduty: 'critical', opsgenie: 'high' })
    await tell(alertmanager, Date.now() - 1_000)
    await until('all three have ended', () => ways(false) === 'opsgenie,pagerduty,webhook')
    await until('nothing is open', () => [...world.live.all()].every(({ state }) => state === 'resolved'))
    const letters = await world.log.bounds('deadletters')
    expect(letters.every(({ next }) => next === 0)).toBe(true)
  })
})
