/**
 * The life of one alarm by ISA-18.2 (IEC 62682): a pure table of states and events. Time is not read here: who owns the alarm sends
 * `shelf-expired` when the time of a shelf is over.
 */
export type AlarmState =
  /** Nothing wrong. */
  | 'NORM'
  /** The condition holds, nobody has acknowledged it. */
  | 'UNACK'
  /** The condition holds, somebody has. */
  | 'ACKED'
  /** The condition has gone before anybody acknowledged it. */
  | 'RTNUN'
  /** Put aside by an operator, for a limited time. */
  | 'SHLVD'
  /** Suppressed by design: by logic, such as a stopped line. */
  | 'DSUPR'
  /** Taken out of service for maintenance, by a person, until taken back. */
  | 'OOSRV'

export type AlarmEvent =
  | 'occurs'
  | 'worsens'
  | 'clears'
  | 'acknowledge'
  | 'shelve'
  | 'unshelve'
  | 'shelf-expired'
  | 'suppress'
  | 'unsuppress'
  | 'remove-from-service'
  | 'return-to-service'

export interface Alarm {
  readonly state: AlarmState
  /** Whether the condition holds; it is followed where it shows in no state. */
  readonly holds: boolean
  /** Latched alarms that cleared stay UNACK until they are acknowledged, and go back to NORM only then. */
  readonly latched: boolean
}

export const normal = (latched = false): Alarm => ({ state: 'NORM', holds: false, latched })

/** States in which an operator does not hear of the alarm. */
const PUT_ASIDE: ReadonlySet<AlarmState> = new Set(['SHLVD', 'DSUPR', 'OOSRV'])

/** Whether the alarm counts as active for operators: it demands an answer or has had one while the condition holds. */
export const isAnnunciated = ({ state }: Alarm): boolean => state !== 'NORM' && !PUT_ASIDE.has(state)

/** The alarm after an event; the same object where the event means nothing in its state. */
export function next(alarm: Alarm, event: AlarmEvent): Alarm {
  const holds = event === 'occurs' || event === 'worsens' ? true : event === 'clears' ? false : alarm.holds
  const state = PUT_ASIDE.has(alarm.state) ? fromAside(alarm, holds, event) : fromView(alarm, event)
  return state === alarm.state && holds === alarm.holds ? alarm : { ...alarm, state, holds }
}

/** Of an alarm that operators see, or would see. */
function fromView({ state, holds, latched }: Alarm, event: AlarmEvent): AlarmState {
  switch (event) {
    case 'occurs':
      return state === 'NORM' || state === 'RTNUN' ? 'UNACK' : state
    case 'worsens':
      return 'UNACK'
    case 'clears':
      if (state === 'ACKED') return 'NORM'
      return state === 'UNACK' && !latched ? 'RTNUN' : state
    case 'acknowledge':
      if (state === 'RTNUN') return 'NORM'
      if (state === 'UNACK') return holds ? 'ACKED' : 'NORM'
      return state
    case 'shelve':
      return 'SHLVD'
    case 'suppress':
      return 'DSUPR'
    case 'remove-from-service':
      return 'OOSRV'
    case 'unshelve':
    case 'shelf-expired':
    case 'unsuppress':
    case 'return-to-service':
      return state
  }
}

/**
 * Of an alarm that was put aside. What an operator unshelves, that operator knows of: it comes back acknowledged. What comes back by
 * itself comes back unacknowledged, but only where the condition still holds: what came and went meanwhile is no news, so the end of
 * many shelves is no flood. Out of service outranks suppression, and that a shelf.
 */
function fromAside({ state }: Alarm, holds: boolean, event: AlarmEvent): AlarmState {
  if (event === 'remove-from-service') return 'OOSRV'
  if (event === 'suppress' && state === 'SHLVD') return 'DSUPR'
  if (event === 'unshelve' && state === 'SHLVD') return holds ? 'ACKED' : 'NORM'
  const back =
    (event === 'shelf-expired' && state === 'SHLVD') ||
    (event === 'unsuppress' && state === 'DSUPR') ||
    (event === 'return-to-service' && state === 'OOSRV')
  if (back) return holds ? 'UNACK' : 'NORM'
  return state
}
