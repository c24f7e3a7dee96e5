import { useQueries, useQueryClient } from '@tanstack/react-query'
import { useId, useState } from 'react'
import type { Incident } from '../../schemas/incident.ts'
import { useNotify } from '../frame/notices.tsx'
import { newKey, request, ServerError } from '../server/request.ts'
import { useLanguage, useTexts } from '../texts/catalogue.ts'
import { duration } from '../parts/time.tsx'
import { ActionForm, type FormProps } from './action_form.tsx'
import { texts } from './texts.ts'

const DURATIONS_MS = [1_800_000, 3_600_000, 14_400_000, 86_400_000, 604_800_000] as const
const HOUR_MS = 3_600_000

type Labels = Readonly<Record<string, string>>

/** Labels that all listed members of all incidents have in common. */
function commonLabels(incidents: readonly Pick<Incident, 'members'>[]): Labels {
  const all = incidents.flatMap(({ members }) => members.map(({ labels }) => labels))
  const [first = {}] = all
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) => all.every((labels) => labels[name] === value)),
  )
}

/** A silence of what the selected incidents have in common. */
export function SilenceForm({ ids, onClose }: FormProps) {
  const t = useTexts(texts)
  const save = useSave(onClose)
  const [left_out, setLeftOut] = useState<ReadonlySet<string>>(new Set())
  const [for_ms, setFor] = useState<number>(HOUR_MS)
  const [reason, setReason] = useState('')
  const reason_id = useId()
  const incidents = useQueries({
    queries: ids.map((id) => ({
      queryKey: ['incident', id],
      queryFn: () => request<Incident>(`/api/v1/incidents/${encodeURIComponent(id)}`),
    })),
    combine: (results) => results.flatMap(({ data }) => (data ? [data] : [])),
  })
  const common = commonLabels(incidents)
  const names = Object.keys(common).sort()
  if (incidents.length === ids.length && names.length === 0) return <p>{t.no_common}</p>
  const kept = names.filter((name) => !left_out.has(name))
  const listed = incidents.flatMap(({ members }) => members)
  const matched = listed.filter(({ labels }) => kept.every((name) => labels[name] === common[name])).length
  const submit = () => {
    if (kept.length === 0 || reason.trim() === '') return
    const matchers = kept.map((name) => ({ name, op: '=', value: common[name] ?? '' }))
    void save({ matchers, duration_ms: for_ms, comment: reason.trim() })
  }
  return (
    <ActionForm submit={t.silence} onClose={onClose} onSubmit={submit}>
      <fieldset className="choices">
        <legend>{t.common_labels}</legend>
        {names.map((name) => (
          <label key={name} className="choice">
            <input
              type="checkbox"
              checked={!left_out.has(name)}
              onChange={() => setLeftOut((before) => toggled(before, name))}
            />
            <code>
              {name}={common[name]}
            </code>
          </label>
        ))}
      </fieldset>
      <p className="hint" aria-live="polite">
        {t.silence_matches(matched, listed.length)}
      </p>
      <DurationField value={for_ms} onChange={setFor} />
      <div>
        <label htmlFor={reason_id}>{t.reason}</label>
        <input
          id={reason_id}
          autoFocus
          required
          maxLength={1_000}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      </div>
    </ActionForm>
  )
}

interface DurationFieldProps {
  readonly value: number
  readonly onChange: (ms: number) => void
}

function DurationField({ value, onChange }: DurationFieldProps) {
  const t = useTexts(texts)
  const language = useLanguage()
  const id = useId()
  return (
    <div>
      <label htmlFor={id}>{t.how_long}</label>
      <select id={id} value={value} onChange={(event) => onChange(Number(event.target.value))}>
        {DURATIONS_MS.map((ms) => (
          <option key={ms} value={ms}>
            {duration(language, ms)}
          </option>
        ))}
      </select>
    </div>
  )
}

function toggled(set: ReadonlySet<string>, item: string): ReadonlySet<string> {
  const next = new Set(set)
  if (!next.delete(item)) next.add(item)
  return next
}

function useSave(onClose: () => void): (body: object) => Promise<void> {
  const t = useTexts(texts)
  const notify = useNotify()
  const queries = useQueryClient()
  const end = async (id: string) => {
    await request(`/api/v1/silences/${encodeURIComponent(id)}`, { method: 'DELETE', key: newKey() })
    await queries.invalidateQueries({ queryKey: ['silences'] })
  }
  return async (body) => {
    try {
      const { silence_id } = await request<{ silence_id: string }>('/api/v1/silences', {
        method: 'POST',
        body,
        key: newKey(),
      })
      onClose()
      notify({ text: t.done_silence, undo: () => void end(silence_id) })
      await queries.invalidateQueries({ queryKey: ['silences'] })
    } catch (error) {
      if (!(error instanceof ServerError)) throw error
      notify({ text: error.message })
    }
  }
}
