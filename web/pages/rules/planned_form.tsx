import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useEffect, useId, useState } from 'react'
import { ActionForm } from '../../actions/action_form.tsx'
import { Dialog } from '../../parts/dialog.tsx'
import { duration } from '../../parts/time.tsx'
import { request, ServerError } from '../../server/request.ts'
import { useLanguage, useTexts } from '../../texts/catalogue.ts'
import { matcherLines } from './matchers.ts'
import { texts } from './texts.ts'

export interface Planned {
  readonly name: string
  readonly matchers: readonly string[]
  readonly duration_ms: number
  readonly comment: string
}

interface PlannedFormProps {
  readonly title: string
  /** A window of maintenance has a name. */
  readonly with_name: boolean
  /** Returns what is wrong; null: done. */
  readonly onSave: (planned: Planned) => Promise<string | null>
  readonly onClose: () => void
}

const DURATIONS_MS = [
  1_800_000, 3_600_000, 7_200_000, 14_400_000, 28_800_000, 86_400_000, 604_800_000,
] as const
const HOUR_MS = 3_600_000

/** Which alerts are to be muted and for how long, with what that would mute now. */
export function PlannedForm({ title, with_name, onSave, onClose }: PlannedFormProps) {
  const t = useTexts(texts)
  const [name, setName] = useState('')
  const [matchers, setMatchers] = useState('')
  const [duration_ms, setDuration] = useState<number>(HOUR_MS)
  const [comment, setComment] = useState('')
  const [fault, setFault] = useState<string | null>(null)
  const submit = async () => {
    const planned = { name, matchers: matcherLines(matchers), duration_ms, comment: comment.trim() }
    const refused = await onSave(planned)
    if (refused === null) onClose()
    else setFault(refused)
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <ActionForm submit={title} onClose={onClose} onSubmit={() => void submit()}>
        {with_name && (
          <Field label={t.name}>
            {(id) => (
              <input id={id} required value={name} onChange={(event) => setName(event.target.value)} />
            )}
          </Field>
        )}
        <Field label={t.matchers} hint={t.matchers_hint}>
          {(id) => (
            <textarea
              id={id}
              autoFocus
              required
              rows={3}
              className="mono"
              spellCheck={false}
              value={matchers}
              onChange={(event) => setMatchers(event.target.value)}
            />
          )}
        </Field>
        <Preview text={matchers} />
        <DurationField value={duration_ms} onChange={setDuration} />
        <Field label={t.reason}>
          {(id) => (
            <input
              id={id}
              required
              maxLength={1_000}
              value={comment}
              onChange={(event) => setComment(event.target.value)}
            />
          )}
        </Field>
        <p role="alert" className="failure">
          {fault}
        </p>
      </ActionForm>
    </Dialog>
  )
}

interface DurationFieldProps {
  readonly value: number
  readonly onChange: (ms: number) => void
}

function DurationField({ value, onChange }: DurationFieldProps) {
  const t = useTexts(texts)
  const language = useLanguage()
  return (
    <Field label={t.how_long}>
      {(id) => (
        <select id={id} value={value} onChange={(event) => onChange(Number(event.target.value))}>
          {DURATIONS_MS.map((ms) => (
            <option key={ms} value={ms}>
              {duration(language, ms)}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}

interface FieldProps {
  readonly label: string
  readonly hint?: string
  readonly children: (id: string) => ReactNode
}

function Field({ label, hint, children }: FieldProps) {
  const id = useId()
  return (
    <div>
      <label htmlFor={id}>{label}</label>
      {children(id)}
      {hint !== undefined && <p className="hint">{hint}</p>}
    </div>
  )
}

interface PreviewAnswer {
  readonly firing: number
  readonly muted: number
  readonly of: number
  readonly examples: readonly { readonly alertname: string; readonly entity: string }[]
}

const TYPING_MS = 300
const EXAMPLES_SHOWN = 4

function useSettled(text: string): string {
  const [settled, setSettled] = useState(text)
  useEffect(() => {
    const later = setTimeout(() => setSettled(text), TYPING_MS)
    return () => clearTimeout(later)
  }, [text])
  return settled
}

/** By the server's own matcher, so that it says what will happen. */
function Preview({ text }: { readonly text: string }) {
  const t = useTexts(texts)
  const matchers = matcherLines(useSettled(text))
  const { data, error } = useQuery({
    queryKey: ['silence-preview', matchers],
    queryFn: ({ signal }) =>
      request<PreviewAnswer>('/api/v1/silences/preview', { method: 'POST', body: { matchers }, signal }),
    enabled: matchers.length > 0,
  })
  return (
    <div className="preview" aria-live="polite">
      {error instanceof ServerError && matchers.length > 0 && <p className="failure">{error.message}</p>}
      {!error && data && (
        <>
          <p>
            <strong>{data.firing === 0 ? t.preview_none : t.preview(data.firing, data.of)}</strong>{' '}
            {data.muted > 0 && t.preview_muted(data.muted)}
          </p>
          <p className="soft">
            {data.examples
              .slice(0, EXAMPLES_SHOWN)
              .map(({ alertname, entity }) => `${alertname} ${entity}`)
              .join(' · ')}
            {data.firing > EXAMPLES_SHOWN && ' …'}
          </p>
        </>
      )}
    </div>
  )
}
