import { useQuery } from '@tanstack/react-query'
import { useId, useState } from 'react'
import { ActionForm } from '../../actions/action_form.tsx'
import { useLive } from '../../live/store.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { duration } from '../../parts/time.tsx'
import { request } from '../../server/request.ts'
import { useLanguage, useTexts } from '../../texts/catalogue.ts'
import type { Alarm } from './alarm.ts'
import { texts } from './texts.ts'
import { useAlarmActions } from './use_alarms.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
const SHELVES_MS = [15 * MINUTE_MS, HOUR_MS, 8 * HOUR_MS] as const
const SERVICE_MS = [8 * HOUR_MS, DAY_MS, 7 * DAY_MS, 30 * DAY_MS] as const
const SERVICE_MOST_MS = 366 * DAY_MS

interface AsideFormProps {
  readonly alarm: Alarm
  readonly onClose: () => void
}

/** Puts an alarm aside for a time, with a reason. */
export function ShelveForm({ alarm, onClose }: AsideFormProps) {
  const t = useTexts(texts)
  const language = useLanguage()
  const live = useLive()
  const { shelve } = useAlarmActions()
  const { data } = useQuery({
    queryKey: ['rules'],
    queryFn: () => request<{ shelve_max_ms: number }>('/api/v1/rules'),
  })
  const most_ms = data?.shelve_max_ms ?? DAY_MS
  return (
    <Dialog title={t.shelve_title(alarm.entity)} onClose={onClose}>
      <TimedForm
        submit={t.shelve}
        hint={t.shelve_most(duration(language, most_ms))}
        offered={SHELVES_MS.filter((ms) => ms <= most_ms)}
        most_ms={most_ms}
        onClose={onClose}
        onSubmit={(for_ms, reason) => shelve(alarm, live.now() + for_ms, reason)}
      />
    </Dialog>
  )
}

/** Takes an alarm out of service until a time: planned work on it. */
export function ServiceForm({ alarm, onClose }: AsideFormProps) {
  const t = useTexts(texts)
  const { outOfService } = useAlarmActions()
  return (
    <Dialog title={t.service_title(alarm.entity)} onClose={onClose}>
      <TimedForm
        submit={t.out_of_service}
        hint={t.service_hint}
        offered={SERVICE_MS}
        most_ms={SERVICE_MOST_MS}
        onClose={onClose}
        onSubmit={(for_ms, reason) => outOfService(alarm, for_ms, reason)}
      />
    </Dialog>
  )
}

interface TimedFormProps {
  readonly submit: string
  readonly hint: string
  readonly offered: readonly number[]
  readonly most_ms: number
  readonly onClose: () => void
  /** Returns why not; null: done. */
  readonly onSubmit: (for_ms: number, reason: string) => Promise<string | null>
}

function TimedForm({ submit, hint, offered, most_ms, onClose, onSubmit }: TimedFormProps) {
  const t = useTexts(texts)
  const [for_ms, setFor] = useState<number>(offered[0] ?? most_ms)
  const [reason, setReason] = useState('')
  const [fault, setFault] = useState<string | null>(null)
  const reason_id = useId()
  const send = async () => {
    if (reason.trim() === '') return
    // A moment less than allowed: the request takes one too.
    const refused = await onSubmit(Math.min(for_ms, most_ms - 1_000), reason.trim())
    if (refused === null) onClose()
    else setFault(refused)
  }
  return (
    <ActionForm submit={submit} onClose={onClose} onSubmit={() => void send()}>
      <HowLong offered={offered} value={for_ms} most_ms={most_ms} onChange={setFor} />
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
      <p className="hint">{hint}</p>
      <p role="alert" className="failure">
        {fault}
      </p>
    </ActionForm>
  )
}

interface HowLongProps {
  readonly offered: readonly number[]
  readonly value: number
  readonly most_ms: number
  readonly onChange: (ms: number) => void
}

const CUSTOM = 'custom'

function HowLong({ offered, value, most_ms, onChange }: HowLongProps) {
  const t = useTexts(texts)
  const language = useLanguage()
  const id = useId()
  const [custom, setCustom] = useState(false)
  return (
    <div className="fields">
      <div>
        <label htmlFor={id}>{t.for_how_long}</label>
        <select
          id={id}
          value={custom ? CUSTOM : value}
          onChange={({ target }) => {
            setCustom(target.value === CUSTOM)
            if (target.value !== CUSTOM) onChange(Number(target.value))
          }}
        >
          {offered.map((ms) => (
            <option key={ms} value={ms}>
              {duration(language, ms)}
            </option>
          ))}
          <option value={CUSTOM}>{t.custom}</option>
        </select>
      </div>
      {custom && (
        <div>
          <label htmlFor={`${id}-minutes`}>{t.minutes}</label>
          <input
            id={`${id}-minutes`}
            type="number"
            min={1}
            max={Math.floor(most_ms / MINUTE_MS)}
            value={Math.round(value / MINUTE_MS)}
            onChange={({ target }) => onChange(Math.max(1, target.valueAsNumber || 1) * MINUTE_MS)}
          />
        </div>
      )}
    </div>
  )
}
