import { systemClock } from '../runtime/clock.ts'
import { environment } from '../runtime/config.ts'
import { Misconfigured } from '../runtime/errors.ts'
import type { Incident } from '../schemas/incident.ts'
import { type PostableAlert, TocsinClient } from './client.ts'
import { BILLING_JOB } from './demo/conditions.ts'
import { Progress } from './demo/progress.ts'
import { type Step, type Story, type StoryAlert, story } from './demo/story.ts'
import { isOfDemo, summary } from './demo/summary.ts'
import { shopTopology } from './demo/topology.ts'

/** Prometheus gives a firing alert an end four repeats away, so that it ends when Prometheus does. */
const END_AFTER_MS = 4 * 60_000
/** What still fires when the story is told is left to be looked at for so long. */
const LEFT_FOR_MS = 3_600_000
/** How long the last alerts may take to become part of their incidents before the summary is made without them. */
const SETTLE_MS = 10_000
const SETTLE_POLL_MS = 250
const SPEED_MAX = 100_000

/** Sends the story to a running Tocsin and sums up what it made of it. Throws Misconfigured with the remedy. */
export async function demo(options: { url: string; seed: string; speed: string }): Promise<void> {
  const client = new TocsinClient(options.url, environment()['TOCSIN_TOKEN'])
  const speed = numberOf('--speed', options.speed, SPEED_MAX)
  const told = story(Math.floor(numberOf('--seed', options.seed, 2 ** 32 - 1)))
  await client.checkReady()
  await client.declareTopology(shopTopology(told.steps.flatMap(({ alerts }) => alerts)))
  const began_ms = systemClock.now()
  const sent = await tell(client, told, speed, began_ms)
  const incidents = await settled(client, told.alerts, began_ms)
  console.log(summary(told.alerts, sent, incidents, client.url))
}

function numberOf(option: string, text: string, max: number): number {
  const number = Number(text)
  if (text.trim() !== '' && number > 0 && number <= max) return number
  throw new Misconfigured('option-unusable', `${option} ${text}: expected a number above 0, at most ${max}`)
}

/** Paces the steps; returns how many notifications were sent. */
async function tell(
  client: TocsinClient,
  { steps, ...rest }: Story,
  speed: number,
  began_ms: number,
): Promise<number> {
  const progress = new Progress(rest.duration_ms)
  const wallTime = (at_ms: number) => began_ms + at_ms / speed
  const firing = new Set<StoryAlert['condition']>()
  let sent = 0
  let acknowledged = false
  for (const step of steps) {
    await systemClock.sleep(Math.max(0, wallTime(step.at_ms) - systemClock.now()))
    await client.send(postable(step, wallTime, END_AFTER_MS))
    sent += step.alerts.length
    for (const { condition, resolved } of step.alerts) {
      if (resolved) firing.delete(condition)
      else firing.add(condition)
    }
    progress.show(step.at_ms, sent, firing.size, step.told)
    if (!acknowledged && step.at_ms >= rest.acknowledge_at_ms)
      acknowledged = await acknowledge(client, began_ms, progress)
  }
  const left = {
    at_ms: rest.duration_ms,
    alerts: [...firing].map((condition) => ({ condition, resolved: false })),
    told: null,
  }
  await client.send(postable(left, wallTime, LEFT_FOR_MS))
  progress.end()
  return sent + left.alerts.length
}

/** The incidents of the demo once they hold all its alerts, or after a while. */
async function settled(client: TocsinClient, alerts: number, began_ms: number): Promise<Incident[]> {
  for (let waited_ms = 0; ; waited_ms += SETTLE_POLL_MS) {
    const incidents = await incidentsOf(client, began_ms)
    const members = incidents.reduce((sum, { members_total }) => sum + members_total, 0)
    if (members >= alerts || waited_ms >= SETTLE_MS) return incidents
    await systemClock.sleep(SETTLE_POLL_MS)
  }
}

async function incidentsOf(client: TocsinClient, began_ms: number): Promise<Incident[]> {
  return (await client.incidents()).filter((incident) => isOfDemo(incident, began_ms))
}

function postable(step: Step, wallTime: (at_ms: number) => number, end_after_ms: number): PostableAlert[] {
  const now_ms = systemClock.now()
  return step.alerts.map(({ condition, resolved }) => ({
    labels: condition.labels,
    annotations: condition.annotations,
    generatorURL: condition.generator_url,
    startsAt: new Date(Math.min(now_ms, wallTime(condition.from_ms))).toISOString(),
    endsAt: new Date(resolved ? now_ms : now_ms + end_after_ms).toISOString(),
  }))
}

/** True once the incident of the failed job is in somebody's hands; false while it has not come to be. */
async function acknowledge(client: TocsinClient, began_ms: number, progress: Progress): Promise<boolean> {
  const incidents = await incidentsOf(client, began_ms)
  const found = incidents.find(({ members }) =>
    members.some(({ labels }) => labels['service'] === BILLING_JOB),
  )
  if (!found) return false
  const taken = await client.acknowledge(found.id)
  progress.line(
    taken ? `somebody of finance acknowledges “${found.title}”` : `“${found.title}” was acknowledged before`,
  )
  return true
}
