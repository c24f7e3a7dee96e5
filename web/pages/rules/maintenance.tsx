import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { MaintenanceWindow } from '../../../schemas/maintenance.ts'
import { useNotify } from '../../frame/notices.tsx'
import { useRefusal } from '../../frame/session.ts'
import { Button } from '../../parts/button.tsx'
import { Moment } from '../../parts/time.tsx'
import { newKey, request, ServerError } from '../../server/request.ts'
import { useTexts } from '../../texts/catalogue.ts'
import { words } from '../../texts/words.ts'
import { MatcherList } from './matcher_list.tsx'
import { type Planned, PlannedForm } from './planned_form.tsx'
import { texts } from './texts.ts'

interface ShownWindow {
  readonly window: MaintenanceWindow
  /** Null: it stands in the configuration. */
  readonly created_by: string | null
  readonly active: boolean
  readonly turns_at_ms: number | null
}

const KEY = ['maintenance'] as const
const REFRESH_MS = 5_000

/** Work that is planned, and what it mutes meanwhile. */
export function Maintenance() {
  const t = useTexts(texts)
  const refusal = useRefusal('responder')
  const queries = useQueryClient()
  const notify = useNotify()
  const [making, setMaking] = useState(false)
  const { data } = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) =>
      request<{ maintenance: readonly ShownWindow[] }>('/api/v1/maintenance', { signal }),
    refetchInterval: REFRESH_MS,
  })
  const save = async (body: Planned): Promise<string | null> => {
    try {
      await request('/api/v1/maintenance', { method: 'POST', body, key: newKey() })
    } catch (error) {
      if (error instanceof ServerError) return error.message
      throw error
    }
    notify({ text: t.maintenance_made })
    await queries.invalidateQueries({ queryKey: KEY })
    return null
  }
  return (
    <>
      <div className="section-tools">
        <Button kind="primary" refusal={refusal} onPress={() => setMaking(true)}>
          {t.new_maintenance}
        </Button>
      </div>
      {data?.maintenance.length === 0 && <p className="card notice-card soft">{t.no_maintenance}</p>}
      {data && data.maintenance.length > 0 && <WindowTable windows={data.maintenance} />}
      {making && (
        <PlannedForm title={t.new_maintenance} with_name onSave={save} onClose={() => setMaking(false)} />
      )}
    </>
  )
}

function WindowTable({ windows }: { readonly windows: readonly ShownWindow[] }) {
  const t = useTexts(texts)
  const w = useTexts(words)
  return (
    <div className="card">
      <table className="list-table">
        <thead>
          <tr>
            {[t.name, w.state, t.matchers, t.reason, t.creator, t.ends].map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
            <th scope="col">
              <span className="unseen">{t.end_now}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {windows.map((shown) => (
            <WindowRow key={shown.window.name} shown={shown} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function WindowRow({ shown: { window, created_by, active, turns_at_ms } }: { readonly shown: ShownWindow }) {
  const t = useTexts(texts)
  const w = useTexts(words)
  const refusal = useRefusal('responder')
  const notify = useNotify()
  const queries = useQueryClient()
  const end = async () => {
    await request(`/api/v1/maintenance/${encodeURIComponent(window.name)}`, {
      method: 'DELETE',
      key: newKey(),
    })
    notify({ text: t.maintenance_ended })
    await queries.invalidateQueries({ queryKey: KEY })
  }
  return (
    <tr>
      <th scope="row">
        {window.name} <span className="soft">{t[window.kind]}</span>
      </th>
      <td data-title={w.state}>{active ? t.state_active : t.state_pending}</td>
      <td data-title={t.matchers}>
        <MatcherList matchers={window.match} />
      </td>
      <td data-title={t.reason}>{window.comment}</td>
      <td data-title={t.creator}>{created_by ?? t.by_configuration}</td>
      <td data-title={t.ends}>{turns_at_ms === null ? '–' : <Moment at_ms={turns_at_ms} />}</td>
      <td className="end">
        {created_by !== null && (
          <Button refusal={refusal} onPress={() => void end()}>
            {t.end_now}
          </Button>
        )}
      </td>
    </tr>
  )
}
