import { type ChangeEvent, useId } from 'react'
import { useZone } from '../../frame/zone.ts'
import { Button } from '../../parts/button.tsx'
import { ComboBox } from '../../parts/combobox.tsx'
import { SEVERITIES } from '../../parts/severity.tsx'
import { setQuery } from '../../router/location.ts'
import { useTexts } from '../../texts/catalogue.ts'
import { words } from '../../texts/words.ts'
import { useMetric, useView } from './ask.ts'
import { useFormats } from './format.ts'
import { texts } from './texts.ts'
import { dateAfter, FILTERS, OFFICE_HOURS, PERIOD_DAYS, VALUE_FILTERS, type ValueFilter } from './view.ts'

/** What is asked: the period, what it is compared with, how time is counted, and of which incidents. The address holds it all. */
export function Controls({ now_ms, onAgain }: { readonly now_ms: number; readonly onAgain: () => void }) {
  const t = useTexts(texts)
  const view = useView()
  return (
    <form className="question" aria-label={t.question} onSubmit={(event) => event.preventDefault()}>
      <PeriodChoice now_ms={now_ms} />
      <TimeChoice />
      <SeverityChoice />
      {VALUE_FILTERS.map((name) => (
        <ValueChoice key={name} name={name} />
      ))}
      <label className="choice">
        <input
          type="checkbox"
          checked={view.compare}
          onChange={(event) => setQuery({ compare: event.target.checked ? null : 'none' })}
        />
        {t.compare}
      </label>
      <Told onAgain={onAgain} />
    </form>
  )
}

function PeriodChoice({ now_ms }: { readonly now_ms: number }) {
  const t = useTexts(texts)
  const { period } = useView()
  const today = new Date(now_ms).toISOString().slice(0, 10)
  const pick = (event: ChangeEvent<HTMLSelectElement>) => {
    const { value } = event.target
    if (value === 'dates') setQuery({ days: null, from: dateAfter(today, -30), to: dateAfter(today, -1) })
    else setQuery({ days: value, from: null, to: null })
  }
  return (
    <>
      <select aria-label={t.period} value={'days' in period ? period.days : 'dates'} onChange={pick}>
        {PERIOD_DAYS.map((days) => (
          <option key={days} value={days}>
            {t.last_days(days)}
          </option>
        ))}
        <option value="dates">{t.own_dates}</option>
      </select>
      {'from' in period && (
        <>
          <DateField label={t.from} name="from" value={period.from} max={period.to} />
          <DateField label={t.to} name="to" value={period.to} min={period.from} />
        </>
      )}
    </>
  )
}

interface DateFieldProps {
  readonly label: string
  readonly name: 'from' | 'to'
  readonly value: string
  readonly min?: string
  readonly max?: string
}

function DateField({ label, name, value, min, max }: DateFieldProps) {
  return (
    <input
      type="date"
      aria-label={label}
      value={value}
      min={min}
      max={max}
      onChange={(event) => {
        if (event.target.value !== '') setQuery({ [name]: event.target.value })
      }}
    />
  )
}

function TimeChoice() {
  const t = useTexts(texts)
  const { hours } = useView()
  const id = useId()
  return (
    <>
      <select
        aria-label={t.time_counted}
        value={hours === null ? 'wall' : 'office'}
        onChange={(event) => setQuery({ hours: event.target.value === 'wall' ? null : OFFICE_HOURS })}
      >
        <option value="wall">{t.wall_clock}</option>
        <option value="office">{t.office_hours}</option>
      </select>
      {hours !== null && (
        <input
          id={id}
          key={hours}
          type="text"
          aria-label={t.hours}
          title={t.hours_hint}
          defaultValue={hours}
          onBlur={(event) => setQuery({ hours: event.target.value.trim() || null })}
          onKeyDown={(event) => {
            if (event.key === 'Enter') event.currentTarget.blur()
          }}
        />
      )}
    </>
  )
}

function SeverityChoice() {
  const t = useTexts(texts)
  const w = useTexts(words)
  const { severity } = useView()
  return (
    <select
      aria-label={w.severity}
      value={severity ?? ''}
      onChange={(event) => setQuery({ severity: event.target.value })}
    >
      <option value="">{t.all_severities}</option>
      {SEVERITIES.map((one) => (
        <option key={one} value={one}>
          {w[one]}
        </option>
      ))}
    </select>
  )
}

/** Offered where the history knows more than one value. */
function ValueChoice({ name }: { readonly name: ValueFilter }) {
  const t = useTexts(texts)
  const { filters } = useView()
  const chosen = filters.find(([one]) => one === name)?.[1] ?? ''
  const { answer } = useMetric('time_to_acknowledge', name)
  const { count } = useFormats()
  const known = (answer?.groups ?? []).flatMap(({ by, n }) => {
    const value = by[name] ?? ''
    return value === '' ? [] : [{ id: value, name: value, hint: count(n) }]
  })
  if (known.length < 2 && chosen === '') return null
  return (
    <ComboBox
      label={t[name]}
      hide_label
      items={[{ id: '', name: t.all_of(t[name]), hint: '' }, ...known]}
      value={chosen}
      onPick={(value) => setQuery({ [name]: value })}
      className="value-choice"
    />
  )
}

function Told({ onAgain }: { readonly onAgain: () => void }) {
  const t = useTexts(texts)
  const w = useTexts(words)
  const zone = useZone()
  const { filters } = useView()
  const { date } = useFormats()
  const { answer } = useMetric('time_to_acknowledge', null, true)
  return (
    <p className="question-told soft number">
      {answer && t.as_of(date(answer.period.from_ms, zone), date(answer.period.to_ms - 1, zone), zone)}
      {filters.length > 0 && (
        <>
          {' · '}
          {t.filters(filters.length)} ·{' '}
          <button
            type="button"
            className="as-link"
            onClick={() => setQuery(Object.fromEntries(FILTERS.map((name) => [name, null])))}
          >
            {w.clear}
          </button>
        </>
      )}
      <Button kind="quiet" onPress={onAgain}>
        {t.ask_again}
      </Button>
    </p>
  )
}
