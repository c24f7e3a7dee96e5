import { Fragment } from 'react'
import { Button } from '../../parts/button.tsx'
import { SeverityWord } from '../../parts/severity.tsx'
import { Age, duration, useNow } from '../../parts/time.tsx'
import { setQuery } from '../../router/location.ts'
import { useLanguage, useTexts } from '../../texts/catalogue.ts'
import { words } from '../../texts/words.ts'
import { type Alarm, areaOf, measuredOf } from './alarm.ts'
import { Detail } from './detail.tsx'
import { StateMark } from './state_mark.tsx'
import { texts } from './texts.ts'

interface AlarmTableProps {
  readonly alarms: readonly Alarm[]
  /** The one that keys act on. */
  readonly active: string | null
  /** The one whose details are shown. */
  readonly open: string | null
}

export function openAlarm(fingerprint: string | null): void {
  setQuery({ alarm: fingerprint }, { replace: true })
}

export function alarmRowId(fingerprint: string): string {
  return `alarm-${fingerprint}`
}

export function AlarmTable({ alarms, active, open }: AlarmTableProps) {
  const t = useTexts(texts)
  const w = useTexts(words)
  const titles = [w.state, t.priority, t.tag, t.description, t.value, t.area, t.on_since, t.ack_by, t.until]
  return (
    <table className="list-table alarms-table">
      <thead>
        <tr>
          {titles.map((title) => (
            <th key={title} scope="col" className={title === t.value ? 'end' : undefined}>
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {alarms.map((alarm) => (
          <Fragment key={alarm.fingerprint}>
            <AlarmRow
              alarm={alarm}
              is_active={alarm.fingerprint === active}
              is_open={alarm.fingerprint === open}
            />
            {alarm.fingerprint === open && (
              <tr className="alarm-detail-row">
                <td colSpan={titles.length}>
                  <Detail alarm={alarm} />
                </td>
              </tr>
            )}
          </Fragment>
        ))}
      </tbody>
    </table>
  )
}

interface AlarmRowProps {
  readonly alarm: Alarm
  readonly is_active: boolean
  readonly is_open: boolean
}

function AlarmRow({ alarm, is_active, is_open }: AlarmRowProps) {
  const t = useTexts(texts)
  const { fingerprint, state, severity, entity, on_since_ms, acknowledged_by } = alarm
  return (
    <tr
      id={alarmRowId(fingerprint)}
      className={is_active ? 'alarm-row active' : 'alarm-row'}
      data-state={state}
    >
      <td data-title={t.title}>
        <StateMark state={state} />
      </td>
      <td data-title={t.priority}>
        <SeverityWord severity={severity} muted={state !== 'UNACK' && state !== 'ACKED'} />
      </td>
      <th scope="row">
        <Button
          kind="quiet"
          label={t.details_of(entity)}
          expanded={is_open}
          onPress={() => openAlarm(is_open ? null : fingerprint)}
        >
          {entity}
        </Button>
      </th>
      <td data-title={t.description}>
        <Description alarm={alarm} />
      </td>
      <td data-title={t.value} className="end number">
        <Value alarm={alarm} />
      </td>
      <td data-title={t.area}>{areaOf(alarm)}</td>
      <td data-title={t.on_since}>
        <Age since_ms={on_since_ms} />
      </td>
      <td data-title={t.ack_by}>{acknowledged_by ?? '–'}</td>
      <td data-title={t.until}>
        <Until alarm={alarm} />
      </td>
    </tr>
  )
}

function Description({ alarm: { labels, annotations, first_out, chattering } }: { readonly alarm: Alarm }) {
  const t = useTexts(texts)
  const said = annotations['summary'] ?? annotations['description'] ?? ''
  return (
    <span>
      {labels['alertname'] ?? ''} <span className="soft">{said}</span>
      {first_out && (
        <span className="alarm-note" title={t.first_out_hint}>
          1 {t.first_out}
        </span>
      )}
      {chattering && <span className="alarm-note">{t.chattering}</span>}
    </span>
  )
}

function Value({ alarm }: { readonly alarm: Alarm }) {
  const t = useTexts(texts)
  const measured = measuredOf(alarm)
  if (measured === null) return <span className="soft">–</span>
  const { value, limit, unit } = measured
  const shown = limit === null ? value : t.of_limit(value, limit)
  return unit === '' ? shown : `${shown} ${unit}`
}

/** How long it stays put aside. */
function Until({ alarm: { shelved } }: { readonly alarm: Alarm }) {
  const language = useLanguage()
  const now_ms = useNow()
  if (shelved === null) return <span className="soft">–</span>
  return (
    <span title={shelved.by} className="number">
      {duration(language, shelved.until_ms - now_ms)}
    </span>
  )
}
