import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { Silence } from '../../../schemas/command.ts'
import { useNotify } from '../../frame/notices.tsx'
import { useRefusal } from '../../frame/session.ts'
import { Button } from '../../parts/button.tsx'
import { duration, useNow } from '../../parts/time.tsx'
import { setQuery, useLocation } from '../../router/location.ts'
import { newKey, request, ServerError } from '../../server/request.ts'
import { useLanguage, useTexts } from '../../texts/catalogue.ts'
import { words } from '../../texts/words.ts'
import { MatcherList } from './matcher_list.tsx'
import { type Planned, PlannedForm } from './planned_form.tsx'
import { texts } from './texts.ts'

interface ShownSilence extends Silence {
  readonly state: 'active' | 'pending' | 'expired'
  readonly hits?: number
}

const KEY = ['silences'] as const
const REFRESH_MS = 5_000

/** What operators have muted, until when and why. */
export function Silences() {
  const t = useTexts(texts)
  const { query } = useLocation()
  const refusal = useRefusal('responder')
  const queries = useQueryClient()
  const notify = useNotify()
  const [making, setMaking] = useState(false)
  const expired = query.get('expired') === 'yes'
  const { data } = useQuery({
    queryKey: [...KEY, expired],
    queryFn: ({ signal }) =>
      request<{ silences: readonly ShownSilence[] }>(
        `/api/v1/silences?hits=true&state=active,pending${expired ? ',expired' : ''}`,
        { signal },
      ),
    refetchInterval: REFRESH_MS,
  })
  const save = async ({ matchers, duration_ms, comment }: Planned): Promise<string | null> => {
    try {
      const body = { matchers, duration_ms, comment }
      await request('/api/v1/silences', { method: 'POST', body, key: newKey() })
    } catch (error) {
      if (error instanceof ServerError) return error.message
      throw error
    }
    notify({ text: t.silence_made })
    await queries.invalidateQueries({ queryKey: KEY })
    return null
  }
  return (
    <>
      <div className="section-tools">
        <label className="choice">
          <input
            type="checkbox"
            checked={expired}
            onChange={() => setQuery({ expired: expired ? null : 'yes' })}
          />
          {t.show_expired}
        </label>
        <Button kind="primary" refusal={refusal} onPress={() => setMaking(true)}>
          {t.new_silence}
        </Button>
      </div>
      {data && <SilenceTable silences={data.silences} />}
      {making && (
        <PlannedForm title={t.new_silence} with_name={false} onSave={save} onClose={() => setMaking(false)} />
      )}
    </>
  )
}

function SilenceTable({ silences }: { readonly silences: readonly ShownSilence[] }) {
  const t = useTexts(texts)
  const w = useTexts(words)
  if (silences.length === 0) return <p className="card notice-card soft">{t.no_silences}</p>
  return (
    <div className="card">
      <table className="list-table">
        <thead>
          <tr>
            <th scope="col">{t.matchers}</th>
            <th scope="col">{w.state}</th>
            <th scope="col" className="end">
              {t.hits}
            </th>
            <th scope="col">{t.reason}</th>
            <th scope="col">{t.creator}</th>
            <th scope="col">{t.ends}</th>
            <th scope="col">
              <span className="unseen">{t.end_now}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {silences.map((silence) => (
            <SilenceRow key={silence.id} silence={silence} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function SilenceRow({ silence }: { readonly silence: ShownSilence }) {
  const t = useTexts(texts)
  const w = useTexts(words)
  const number = new Intl.NumberFormat(useLanguage())
  const refusal = useRefusal('responder')
  const notify = useNotify()
  const queries = useQueryClient()
  const { id, matchers, state, hits = 0, comment, created_by } = silence
  const end = async () => {
    await request(`/api/v1/silences/${encodeURIComponent(id)}`, { method: 'DELETE', key: newKey() })
    notify({ text: t.silence_ended })
    await queries.invalidateQueries({ queryKey: KEY })
  }
  return (
    <tr className={state === 'expired' ? 'soft' : undefined}>
      <th scope="row">
        <MatcherList matchers={matchers} />
      </th>
      <td data-title={w.state}>{t[`state_${state}`]}</td>
      <td data-title={t.hits} className="end number">
        {number.format(hits)}
      </td>
      <td data-title={t.reason}>{comment}</td>
      <td data-title={t.creator}>{created_by}</td>
      <td data-title={t.ends} className="number">
        <Ends silence={silence} />
      </td>
      <td className="end">
        {state !== 'expired' && (
          <Button refusal={refusal} onPress={() => void end()}>
            {t.end_now}
          </Button>
        )}
      </td>
    </tr>
  )
}

function Ends({ silence: { state, starts_at_ms, ends_at_ms } }: { readonly silence: ShownSilence }) {
  const t = useTexts(texts)
  const language = useLanguage()
  const now_ms = useNow()
  switch (state) {
    case 'active':
      return t.ends_in(duration(language, ends_at_ms - now_ms))
    case 'pending':
      return t.starts_in(duration(language, starts_at_ms - now_ms))
    case 'expired':
      return t.ended_ago(duration(language, now_ms - ends_at_ms))
  }
}
