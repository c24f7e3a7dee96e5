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
  /** Earlier episodes are known. */
  readonly background: boolean
  /** Entities of the incident that depend on the same thing by the same kind of edge, by both. */
  readonly dependents: ReadonlyMap<string, readonly Dependents[]>
}

interface Weighed {
  readonly weight: number
  readonly text: string
}

/** Less surprise than this, or less evidence handed down, is not worth a word. */
const WORTH_TELLING = 0.5
const NAMES_TOLD = 2
const GIVERS_TOLD = 3
const REASONS_TOLD = 4

/** Sentences that an operator reads, the weightiest first; one that weighs little only when there is nothing else to say. */
export function reasonsOf(of: Case, told: Circumstances): string[] {
  const reasons = [
    ...signReasons(of.signs, told),
    ...of.dependents.map((dependents) => dependentsReason(dependents)),
    giversReason(of.givers),
    changeReason(of.suspect),
    aloneReason(of, told),
  ]
    .filter((reason) => reason !== null)
    .sort((a, b) => b.weight - a.weight)
  return reasons
    .filter(({ weight }, i) => i === 0 || (weight >= WORTH_TELLING && i < REASONS_TOLD))
    .map(({ text }) => text)
}

function signReasons(signs: readonly Sign[], told: Circumstances): Weighed[] {
  const worth = signs.filter(({ surprise }) => surprise >= WORTH_TELLING)
  const spoken = worth.length > 0 ? worth : signs.slice(0, 1)
  const fresh = told.background ? spoken.filter(({ before }) => before === 0) : []
  const rest = spoken.filter((sign) => !fresh.includes(sign))
  const reasons = rest
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

function signText({ alertname, before, on, surprise }: Sign, told: Circumstances): string {
  const where = on === 1 ? 'on it alone' : `on ${on} of the ${told.entities} entities that alert`
  if (!told.background || before === 0) return `${alertname} fires ${where}`
  return surprise >= WORTH_TELLING ? `${alertname} is rare on it` : `${alertname} is usual on it`
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
  const sorted = [...givers]
    .filter(([, given]) => given >= WORTH_TELLING)
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  if (sorted.length === 0) return null
  const weight = sorted.reduce((sum, [, given]) => sum + given, 0)
  const names = sorted.map(([name]) => name)
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
    const alone = of.signs.find(
      ({ alertname, surprise }) =>
        surprise >= WORTH_TELLING && alike.some((one) => one.alertname === alertname && one.entities === 1),
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
