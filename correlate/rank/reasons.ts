import type { Suspect } from './changes.ts'
import type { Graph } from './evidence.ts'
import { countDependents, dependencies, type Dependents, MENTION } from './shared.ts'
import type { Sign } from './surprise.ts'

/** All that speaks for one candidate. */
export interface Case {
  readonly entity: string
  readonly signs: readonly Sign[]
  readonly dependents: readonly Dependents[]
  /** Who depends on it and has handed evidence down to it. */
  readonly givers: ReadonlyMap<string, number>
  readonly suspect: Suspect | undefined
}

/** What the sentences are told against. */
export interface Circumstances {
  readonly graph: Graph
  /** Entities that alert in the incident. */
  readonly entities: number
  /** Earlier episodes that are known, decayed. */
  readonly episodes: number
  /** Entities of the incident that depend on the same thing by the same kind of edge, by both. */
  readonly dependents: ReadonlyMap<string, readonly Dependents[]>
}

interface Weighed {
  readonly weight: number
  readonly text: string
}

/** What weighs less than this part of the weightiest is not worth a word. */
const WORTH_TELLING = 0.15
/** On an entity in less than this part of recent episodes. */
const RARE = 0.25
const NAMES_TOLD = 2
const GIVERS_TOLD = 3
const REASONS_TOLD = 4

/** Sentences that an operator reads, the weightiest first. */
export function reasonsOf(of: Case, told: Circumstances): string[] {
  const reasons = [
    ...signReasons(of.signs, told),
    ...of.dependents.map((dependents) => dependentsReason(dependents)),
    giversReason(of.givers),
    changeReason(of.suspect),
    aloneReason(of, told),
  ].filter((reason) => reason !== null)
  return worthTelling(reasons, ({ weight }) => weight)
    .slice(0, REASONS_TOLD)
    .map(({ text }) => text)
}

/** The weightiest first, without those that weigh little beside it. */
function worthTelling<T>(all: readonly T[], weight: (one: T) => number): T[] {
  const sorted = [...all].sort((a, b) => weight(b) - weight(a))
  const least = sorted[0] === undefined ? 0 : weight(sorted[0]) * WORTH_TELLING
  return sorted.filter((one) => weight(one) >= least)
}

function signReasons(signs: readonly Sign[], told: Circumstances): Weighed[] {
  const spoken = worthTelling(signs, ({ surprise }) => surprise)
  const fresh = told.episodes > 0 ? spoken.filter(({ before }) => before === 0) : []
  const reasons = spoken
    .filter((sign) => !fresh.includes(sign))
    .slice(0, NAMES_TOLD)
    .map((sign) => ({ weight: sign.surprise, text: signText(sign, told) }))
  if (fresh.length === 0) return reasons
  const weight = fresh.reduce((sum, { surprise }) => sum + surprise, 0)
  const names = fresh.map(({ alertname }) => alertname)
  const verb = names.length === 1 ? 'has' : 'have'
  return [
    { weight, text: `${listed(names, NAMES_TOLD)} ${verb} not been seen on it in recent incidents` },
    ...reasons,
  ]
}

function signText({ alertname, before, on }: Sign, { episodes, entities }: Circumstances): string {
  if (before > 0)
    return before < RARE * episodes
      ? `${alertname} has been rare on it lately`
      : `${alertname} fires on it, as in other recent incidents`
  if (entities === 1) return `${alertname} fires on it`
  return `${alertname} fires ${on === 1 ? 'on it alone' : `on ${on} of the ${entities} entities that alert`}`
}

const DEPENDENTS_WORDS: Readonly<Record<string, string>> = {
  instance_of: 'instances',
  hosted_on: 'entities hosted on it',
  calls: 'entities that call it',
}

function dependentsReason({ kind, size, alerting, alike }: Dependents): Weighed | null {
  const first = alike[0]
  if (!first) return null
  const weight = alike.reduce((sum, { evidence }) => sum + evidence, 0)
  if (kind === MENTION) return { weight, text: `${first.alertname} of ${counted(first.entities)} names it` }
  if (size === 1) return { weight, text: `${alerting[0] ?? ''}, which depends on it, alerts` }
  const words = DEPENDENTS_WORDS[kind] ?? `entities that depend on it (${kind})`
  const its = kind === 'instance_of' ? 'its' : 'the'
  if (first.entities === 1) return { weight, text: `${alerting.length} of ${its} ${size} ${words} alert` }
  return { weight, text: `${first.entities} of ${its} ${size} ${words} have ${first.alertname}` }
}

function counted(entities: number): string {
  return entities === 1 ? 'one entity' : `${entities} entities`
}

function giversReason(givers: ReadonlyMap<string, number>): Weighed | null {
  if (givers.size === 0) return null
  const sorted = [...givers].sort((a, b) => (a[0] < b[0] ? -1 : 1))
  const weight = sorted.reduce((sum, [, given]) => sum + given, 0)
  const names = worthTelling(sorted, ([, given]) => given).map(([name]) => name)
  const verb = names.length === 1 ? 'depends on it, alerts' : 'depend on it, alert'
  return { weight, text: `${listed(names, GIVERS_TOLD)}, which ${verb} as well` }
}

function changeReason(suspect: Suspect | undefined): Weighed | null {
  if (!suspect) return null
  return {
    weight: suspect.evidence,
    text: `${suspect.change.text}, ${span(suspect.before_ms)} before the first alert`,
  }
}

/** "it alone of the 4 instances of checkout has …": why the instance, not the service. */
function aloneReason(of: Case, told: Circumstances): Weighed | null {
  for (const { to, kind } of dependencies(told.graph, of.entity)) {
    if (kind !== 'instance_of') continue
    const alike = told.dependents.get(to)?.find((known) => known.kind === kind)?.alike ?? []
    const alone = of.signs.find(({ alertname }) =>
      alike.some((one) => one.alertname === alertname && one.entities === 1),
    )
    const size = countDependents(told.graph, to, kind)
    if (alone && size > 1)
      return {
        weight: alone.surprise,
        text: `of the ${size} instances of ${to} it alone has ${alone.alertname}`,
      }
  }
  return null
}

function listed(names: readonly string[], most: number): string {
  const shown = names.slice(0, most)
  const more = names.length - shown.length
  if (more > 0) return `${shown.join(', ')} and ${more} more`
  const last = shown.at(-1) ?? ''
  return shown.length > 1 ? `${shown.slice(0, -1).join(', ')} and ${last}` : last
}

function span(ms: number): string {
  const seconds = Math.round(ms / 1_000)
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
}
