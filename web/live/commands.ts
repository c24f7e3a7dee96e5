import { createContext, use, useSyncExternalStore } from 'react'
import type { CommandBody } from '../../schemas/command.ts'
import { newKey, request, ServerError } from '../server/request.ts'
import type { LiveStore } from './store.ts'

type OnIncident = Extract<CommandBody, { incident_id: string }>
type WithoutPath<Body> = Body extends unknown ? Omit<Body, 'incident_id'> : never
/** A command as it is sent: the incident is named by the path. */
export type IncidentCommand = WithoutPath<OnIncident>

export type CommandState =
  | { readonly status: 'sending' }
  /** Nothing came back in time: it may have been carried out or not, and sending it again under the same key is safe. */
  | { readonly status: 'unconfirmed' }
  /** The server said no, and why. */
  | { readonly status: 'refused'; readonly message: string }

interface Pending {
  readonly key: string
  readonly incident_id: string
  readonly command: IncidentCommand
  readonly state: CommandState
}

interface CarriedOut {
  readonly revision?: number
}

const CONFIRM_WITHIN_MS = 5_000
const POLL_MS = 100

/** What was asked for, from the click until the incident's revision shows it. One command per incident at a time. */
export class Commands {
  private readonly live: LiveStore
  private readonly listeners = new Set<() => void>()
  private pending: ReadonlyMap<string, Pending> = new Map()

  constructor(live: LiveStore) {
    this.live = live
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  stateOf(incident_id: string): CommandState | null {
    return this.pending.get(incident_id)?.state ?? null
  }

  /** Resolves to null once the incident shows it, else to why it does not (yet). */
  send(incident_id: string, command: IncidentCommand): Promise<CommandState | null> {
    return this.attempt({ key: newKey(), incident_id, command, state: { status: 'sending' } })
  }

  /** Sends what was not confirmed once more, under its own key. */
  retry(incident_id: string): Promise<CommandState | null> {
    const pending = this.pending.get(incident_id)
    if (!pending) return Promise.resolve(null)
    return this.attempt({ ...pending, state: { status: 'sending' } })
  }

  /** Takes the note of a refusal away. */
  dismiss(incident_id: string): void {
    const next = new Map(this.pending)
    next.delete(incident_id)
    this.publish(next)
  }

  private async attempt(pending: Pending): Promise<CommandState | null> {
    this.put(pending)
    const state = await this.outcome(pending)
    if (this.pending.get(pending.incident_id)?.key !== pending.key) return state
    if (state) this.put({ ...pending, state })
    else this.dismiss(pending.incident_id)
    return state
  }

  private async outcome({ key, incident_id, command }: Pending): Promise<CommandState | null> {
    const deadline_ms = Date.now() + CONFIRM_WITHIN_MS
    try {
      const path = `/api/v1/incidents/${encodeURIComponent(incident_id)}/commands?wait_ms=4000`
      const signal = AbortSignal.timeout(CONFIRM_WITHIN_MS)
      const { revision } = await request<CarriedOut>(path, { method: 'POST', body: command, key, signal })
      if (revision === undefined) return { status: 'unconfirmed' }
      return (await this.shown(incident_id, revision, deadline_ms)) ? null : { status: 'unconfirmed' }
    } catch (error) {
      if (error instanceof ServerError && error.status >= 400 && error.status < 500)
        return { status: 'refused', message: error.message }
      if (error instanceof ServerError || isTimeout(error)) return { status: 'unconfirmed' }
      throw error
    }
  }

  /** Has the stream brought this revision before the deadline? */
  private async shown(incident_id: string, revision: number, deadline_ms: number): Promise<boolean> {
    for (;;) {
      if ((this.live.get(incident_id)?.revision ?? 0) >= revision) return true
      if (Date.now() > deadline_ms) return false
      await new Promise((resolve) => {
        setTimeout(resolve, POLL_MS)
      })
    }
  }

  private put(pending: Pending): void {
    this.publish(new Map(this.pending).set(pending.incident_id, pending))
  }

  private publish(next: ReadonlyMap<string, Pending>): void {
    this.pending = next
    for (const listener of this.listeners) listener()
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && (error.name === 'TimeoutError' || error.name === 'AbortError')
}

export const CommandsContext = createContext<Commands | null>(null)

export function useCommands(): Commands {
  const commands = use(CommandsContext)
  if (!commands) throw new Error('outside of CommandsContext')
  return commands
}

/** What is under way for an incident; null when nothing is. */
export function useCommandState(incident_id: string): CommandState | null {
  const commands = useCommands()
  return useSyncExternalStore(commands.subscribe, () => commands.stateOf(incident_id))
}
