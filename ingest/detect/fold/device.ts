import { isUsable } from '../detector.ts'
import { QUALITIES, type Quality, type Series } from '../../../schemas/sample.ts'
import { LIMITS } from '../../../schemas/limits.ts'
import { labelValue } from '../../../schemas/matching.ts'
import type { Labels } from '../../../schemas/alert.ts'
import type { NoveltyState } from '../novelty.ts'
import {
  closeGroup,
  type Group,
  joinGroup,
  judgeGroups,
  resetGroup,
  restoreGroup,
  type StoredGroup,
  storedGroup,
} from './group.ts'
import type { Plan, Spec } from './plan.ts'
import {
  hearDevice,
  isCheckDue,
  missingNow,
  presenceDue,
  presenceNow,
  restoreHeard,
  startHeard,
  startPresence,
} from './presence.ts'
import { closeOpen, raiseOpen } from './raise.ts'
import { dueOf, settle, stoppedBy, type Turn } from './series.ts'
import { type Device, Slots, type StoredWatch, type Watch, type Watched } from './state.ts'
import { entityOf, type Statement } from './told.ts'
import { deviceSentence } from './words.ts'

/** Labels that say where a device is, beside those that name it. */
const PLACE_LABELS = ['tenant', 'site', 'cluster', 'area', 'line', 'equipment']

export function startDevice(key: string, first: Series, plan: Plan, applied: number): Device {
  return {
    key,
    labels: placeOf(first.labels, [...PLACE_LABELS, ...plan.rules.entity_labels]),
    scope: first.scope,
    applied,
    plan,
    series: [],
    stored: [],
    stored_groups: [],
    groups: [],
    presence: startPresence(),
    silence: null,
    resting: null,
    stands_until: [],
    pending: new Map(),
    due_ms: Number.POSITIVE_INFINITY,
    closed: [],
  }
}

function placeOf(labels: Labels, names: readonly string[]): Labels {
  const found: Record<string, string> = {}
  for (const name of names) {
    const value = labelValue(labels, name)
    if (value !== '') found[name] = value
  }
  // A device that has no name is its one series.
  return Object.keys(found).length === 0 ? labels : found
}

/** A new series of the device; null beyond the bound. */
export function addSeries(
  device: Device,
  series: Series,
  { plan, kept_ms }: Turn,
  slots: Slots,
): Watched | null {
  if (device.series.length >= LIMITS.series_per_device) return null
  const watched: Watched = {
    series,
    device,
    recent: slots.nextRecent(),
    watches: [],
    stops: [],
    state_of: [],
    at_ms: Number.NEGATIVE_INFINITY,
    value: 0,
    quality: 0,
    heard_ms: kept_ms,
    late: 0,
    late_since_ms: 0,
    evidence: null,
  }
  device.series.push(watched)
  fit(watched, plan, kept_ms, (spec) => startWatch(spec, slots))
  return watched
}

const startWatch = (spec: Spec, slots: Slots): Watch => ({
  spec,
  state: spec.silence === null ? slots.state(spec) : startHeard(),
  opens: null,
})

/** Series that were not heard for long. A group that loses one begins anew. */
export function removeSeries(device: Device, gone: ReadonlySet<Watched>, turn: Turn): void {
  device.series = device.series.filter((watched) => !gone.has(watched))
  for (const watched of gone) for (const watch of watched.watches) device.pending.delete(watch)
  device.groups = device.groups.flatMap((group) => {
    const members = group.members.filter((watched) => !gone.has(watched))
    if (members.length === group.members.length) return [group]
    resetGroup(device, group, turn)
    return members.length === 0 ? [] : [{ ...group, members }]
  })
  device.silence = presenceRule(device)?.silence ?? null
  refreshDue(device, turn)
}

/** Gives a series the watches that the rules ask for. */
function fit(watched: Watched, plan: Plan, kept_ms: number, watchOf: (spec: Spec) => Watch): void {
  const { by, state_of } = plan.stopsOf(watched.series.labels)
  watched.stops = by
  watched.state_of = state_of
  watched.watches = plan.specsOf(watched.series.labels).map((spec) => {
    watched.device.silence ??= spec.silence
    return watchOf(spec)
  })
  for (const spec of plan.groupsOf(watched.series.labels)) joinGroup(watched.device, spec, watched, kept_ms)
}

/** The watches of a device that was restored, by the rules that held where it was stored. */
export function bind(device: Device, plan: Plan): void {
  if (device.plan !== null) return
  device.plan = plan
  const slots = new Slots(1)
  for (const [i, watched] of device.series.entries()) {
    const stored = new Map((device.stored[i] ?? []).map((one) => [one.key, one]))
    fit(watched, plan, 0, (spec) => restoredWatch(spec, stored.get(spec.key)) ?? startWatch(spec, slots))
    for (const watch of watched.watches) if (dueOf(watch) !== null) device.pending.set(watch, watched)
  }
  for (const group of device.groups) {
    const stored = device.stored_groups.find(({ key }) => key === group.spec.key)
    if (stored !== undefined) restoreGroup(device, group, stored)
  }
  device.stored = []
  device.stored_groups = []
}

/** Null when there is none, or when this version of the detector has another state: it begins anew. */
function restoredWatch(spec: Spec, stored: StoredWatch | undefined): Watch | null {
  if (stored === undefined) return null
  const { state, opens } = stored
  if (spec.silence !== null) return { spec, state: restoreHeard(state), opens }
  if (isNovelty(state)) return { spec, state, opens }
  try {
    return { spec, state: spec.detector.restore(state), opens }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return null
  }
}

const isNovelty = (state: StoredWatch['state']): state is NoveltyState =>
  typeof state === 'object' && state !== null && 'slot' in state

/** Other rules hold from here on: what they watch alike goes on, what they do not watch any more is over. */
export function refit(device: Device, plan: Plan, turn: Turn): void {
  device.plan = plan
  device.silence = null
  device.stands_until = []
  device.pending.clear()
  const groups = device.groups
  const kept = groups.map((group) => storedGroup(device, group))
  device.groups = []
  const slots = new Slots(1)
  for (const watched of device.series) {
    const before = new Map(watched.watches.map((watch) => [watch.spec.key, watch]))
    fit(watched, plan, turn.kept_ms, (spec) => {
      const known = before.get(spec.key)
      before.delete(spec.key)
      return known === undefined ? startWatch(spec, slots) : { ...known, spec }
    })
    for (const gone of before.values()) closeAll(watched, gone, turn)
    for (const watch of watched.watches) if (dueOf(watch) !== null) device.pending.set(watch, watched)
  }
  refitGroups(device, groups, kept, turn)
}

/** A group whose rule and members are the same goes on; others end. */
function refitGroups(
  device: Device,
  before: readonly Group[],
  kept: readonly StoredGroup[],
  turn: Turn,
): void {
  for (const [i, group] of before.entries()) {
    const now = device.groups.find(({ spec }) => spec.key === group.spec.key)
    if (now === undefined) closeGroup(device, group, turn)
    else restoreGroup(device, now, kept[i] as StoredGroup)
  }
}

function closeAll(watched: Watched, watch: Watch, turn: Turn): void {
  for (const { condition } of [...(watch.opens ?? [])]) closeOpen(watched, watch, condition, turn)
}

/** What one entry said of a device, once its readings were taken. `qualities`: one bit for each that occurred. */
export function heard(device: Device, qualities: number, turn: Turn): void {
  if (turn.historical) return
  hearDevice(device.presence, turn.kept_ms, (qualities & ~STALE_BIT) !== 0, (qualities & USABLE_BITS) !== 0)
  if (device.silence !== null && isCheckDue(device, turn.kept_ms)) checkSeries(device, turn)
  checkPresence(device, turn)
  judgeGroups(device, turn)
  refreshDue(device, turn)
}

const bitOf = (quality: Quality): number => 1 << QUALITIES.indexOf(quality)
const STALE_BIT = bitOf('stale')
const USABLE_BITS = QUALITIES.filter((quality) => isUsable({ at_ms: 0, value: 0, quality })).reduce(
  (bits, quality) => bits | bitOf(quality),
  0,
)

/** Time alone passes. */
export function pass(device: Device, turn: Turn): void {
  for (const [watch, watched] of [...device.pending]) {
    const { detector } = watch.spec
    const at_ms = ownTime(watched, turn)
    if (detector.tick === undefined || at_ms < (dueOf(watch) ?? Number.POSITIVE_INFINITY)) continue
    settle(watched, watch, detector.tick(watch.state, at_ms), turn, stoppedBy(watched, turn) !== null)
  }
  checkPresence(device, turn)
  refreshDue(device, turn)
}

/** The clock of the source, as far as it must have come since the last reading. */
const ownTime = ({ at_ms, heard_ms }: Watched, { kept_ms }: Turn): number =>
  at_ms + Math.max(0, kept_ms - heard_ms)

export function refreshDue(device: Device, turn: Turn): void {
  let due_ms = presenceDue(device, turn.kept_ms)
  for (const [watch, { at_ms, heard_ms }] of device.pending) {
    const own_ms = dueOf(watch) ?? Number.POSITIVE_INFINITY
    due_ms = Math.min(due_ms, heard_ms + own_ms - at_ms)
  }
  device.due_ms = due_ms
}

function checkSeries(device: Device, turn: Turn): void {
  for (const watched of device.series) {
    for (const watch of watched.watches) {
      if (watch.spec.silence === null) continue
      const now = missingNow(device, watch)
      for (const { condition } of [...(watch.opens ?? [])])
        if (condition !== now) closeOpen(watched, watch, condition, turn)
      if (now === null || stoppedBy(watched, turn) !== null) continue
      const open = watch.opens?.[0] ?? {
        condition: now,
        told: false,
        since_ms: turn.now_ms,
        until_ms: null,
        score: 1,
      }
      watch.opens = [open]
      if (!open.told) raiseOpen(watched, watch, open, { score: 1, alert: true, transitions: [] }, turn)
    }
  }
}

function checkPresence(device: Device, turn: Turn): void {
  const { presence } = device
  const now = presenceNow(device, turn.kept_ms)
  if (presence.open !== null && presence.open.condition !== now) {
    const { open } = presence
    presence.open = null
    if (open.told) turn.teller.end({ ...presenceStatement(device, open, turn), annotations: {} })
  }
  if (now === null) return
  presence.open ??= { condition: now, since_ms: turn.now_ms, told: false }
  const [first] = device.series
  const suppressed = first !== undefined && stoppedBy(first, turn) !== null
  if (presence.open.told || suppressed) return
  presence.open.told = true
  const statement = presenceStatement(device, presence.open, turn)
  const summary = deviceSentence(now, statement.subject.entity || 'the device')
  turn.teller.tell({
    ...statement,
    annotations: { summary, ...presenceRule(device)?.rule.annotations },
    ends_at_ms: null,
  })
}

const presenceRule = (device: Device): Spec | undefined =>
  device.series.flatMap(({ watches }) => watches).find(({ spec }) => spec.silence !== null)?.spec

function presenceStatement(
  device: Device,
  { condition, since_ms }: NonNullable<Device['presence']['open']>,
  { entity_labels }: Turn,
): Omit<Statement, 'annotations' | 'ends_at_ms'> {
  const rule = presenceRule(device)?.rule
  const { scope, labels } = device
  return {
    subject: { scope, labels, entity: entityOf(labels, entity_labels) },
    alertname: rule?.alertname ?? condition,
    detector: 'stale',
    condition,
    severity: rule?.severity ?? 'medium',
    starts_at_ms: since_ms,
  }
}

/** What the series shows now is its new usual; that its device says nothing is as well. */
export function accept(watched: Watched, turn: Turn): void {
  const { presence } = watched.device
  if (presence.open !== null) {
    if (presence.open.told)
      turn.teller.end({ ...presenceStatement(watched.device, presence.open, turn), annotations: {} })
    Object.assign(presence, startPresence())
  }
  const slots = new Slots(1)
  for (const watch of watched.watches) {
    if (!watch.spec.learns) continue
    closeAll(watched, watch, turn)
    watch.state = slots.state(watch.spec)
  }
  for (const group of watched.device.groups)
    if (group.members.includes(watched)) resetGroup(watched.device, group, turn)
}
