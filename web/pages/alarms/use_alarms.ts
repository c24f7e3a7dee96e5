import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { useAct } from '../../actions/actions.ts'
import { useNotify } from '../../frame/notices.tsx'
import { useLive } from '../../live/store.ts'
import { useLocation } from '../../router/location.ts'
import { newKey, request, ServerError } from '../../server/request.ts'
import { useTexts } from '../../texts/catalogue.ts'
import { type Alarm, type AlarmList, serviceWindow, viewOf } from './alarm.ts'
import { texts } from './texts.ts'

const KEY = ['alarms'] as const
/** Alarms change with their incidents, and are read again at most once in this time; without a change, after the longer one. */
const FOLLOW_MS = 1_000
const REFRESH_MS = 10_000
/** A page of alarms; "all shown" means these. */
const SHOWN_MAX = 200

/** Calls when an incident has changed, at most once a second; in a storm the next change does not put it off again. */
function useOnChange(call: () => void): void {
  const live = useLive()
  const current = useRef(call)
  useEffect(() => {
    current.current = call
  })
  useEffect(() => {
    let waiting: ReturnType<typeof setTimeout> | undefined
    const unsubscribe = live.subscribe(() => {
      waiting ??= setTimeout(() => {
        waiting = undefined
        current.current()
      }, FOLLOW_MS)
    })
    return () => {
      unsubscribe()
      clearTimeout(waiting)
    }
  }, [live])
}

export function useAlarms() {
  const { query } = useLocation()
  const parameters = new URLSearchParams({ view: viewOf(query), limit: String(SHOWN_MAX) })
  for (const name of ['q', 'scope']) {
    const value = query.get(name)
    if (value !== null && value !== '') parameters.set(name, value)
  }
  const answer = useQuery({
    queryKey: [...KEY, parameters.toString()],
    queryFn: ({ signal }) => request<AlarmList>(`/api/v1/alarms?${parameters}`, { signal }),
    refetchInterval: REFRESH_MS,
    placeholderData: keepPreviousData,
  })
  useOnChange(() => void answer.refetch({ cancelRefetch: false }))
  return answer
}

/** Why a command was refused; null: it was carried out. */
type Outcome = Promise<string | null>

export interface AlarmActions {
  readonly acknowledge: (incident_ids: readonly string[]) => Promise<void>
  readonly shelve: (alarm: Alarm, until_ms: number, comment: string) => Outcome
  readonly unshelve: (alarm: Alarm) => Outcome
  readonly outOfService: (alarm: Alarm, duration_ms: number, comment: string) => Outcome
  readonly backToService: (alarm: Alarm) => Outcome
}

/** What operators do to alarms, by the commands of their incidents and by windows of maintenance. */
export function useAlarmActions(): AlarmActions {
  const t = useTexts(texts)
  const act = useAct()
  const notify = useNotify()
  const queries = useQueryClient()
  const again = () => queries.invalidateQueries({ queryKey: KEY })
  const ask = async (path: string, done: string, method: 'POST' | 'DELETE', body?: object): Outcome => {
    try {
      await request(path, { method, body, key: newKey() })
    } catch (error) {
      if (error instanceof ServerError) return error.message
      throw error
    }
    notify({ text: done })
    await again()
    return null
  }
  const command = (alarm: Alarm, done: string, body: object) =>
    ask(`/api/v1/incidents/${encodeURIComponent(alarm.incident_id ?? '')}/commands`, done, 'POST', {
      ...body,
      fingerprint: alarm.fingerprint,
    })
  return {
    acknowledge: async (incident_ids) => {
      await act(incident_ids, { kind: 'acknowledge' })
      await again()
    },
    shelve: (alarm, until_ms, comment) =>
      command(alarm, t.done_shelved, { kind: 'shelve', until_ms: Math.round(until_ms), comment }),
    unshelve: (alarm) => command(alarm, t.done_unshelved, { kind: 'unshelve' }),
    outOfService: (alarm, duration_ms, comment) =>
      ask('/api/v1/maintenance', t.done_service, 'POST', { ...serviceWindow(alarm), duration_ms, comment }),
    backToService: (alarm) =>
      ask(`/api/v1/maintenance/${encodeURIComponent(serviceWindow(alarm).name)}`, t.done_back, 'DELETE'),
  }
}
