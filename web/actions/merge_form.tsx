import { useState } from 'react'
import type { IncidentSummary } from '../../schemas/incident_summary.ts'
import { useLive } from '../live/store.ts'
import { SeverityMark } from '../parts/severity.tsx'
import { useTexts } from '../texts/catalogue.ts'
import { useAct } from './actions.ts'
import { ActionForm, type FormProps } from './action_form.tsx'
import { isPossible } from './possible.ts'
import { texts } from './texts.ts'

const OFFERED_MAX = 8

/** The selected incidents go into one of them, or into another of the same scope. */
export function MergeForm({ ids, onClose }: FormProps) {
  const t = useTexts(texts)
  const live = useLive()
  const act = useAct()
  const selected = ids.map((id) => live.get(id)).filter((incident) => incident !== undefined)
  const [text, setText] = useState('')
  const [into, setInto] = useState(ids.length > 1 ? oldest(selected) : '')
  const scope = selected[0]?.scope
  if (selected.some((incident) => incident.scope !== scope)) return <p>{t.merge_scope}</p>
  const offered = ids.length > 1 ? selected : others(live.all(), selected[0], text)
  if (offered.length === 0 && text === '') return <p>{t.merge_nothing}</p>
  const submit = () => {
    if (into === '') return
    onClose()
    void act(
      ids.filter((id) => id !== into),
      { kind: 'merge', into },
    )
  }
  return (
    <ActionForm submit={t.merge} onClose={onClose} onSubmit={submit}>
      <p className="hint">{t.merge_hint}</p>
      {ids.length === 1 && (
        <input
          type="search"
          aria-label={t.search}
          placeholder={t.search}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      )}
      <fieldset className="choices">
        <legend>{t.into}</legend>
        {offered.map(({ id, title, severity }) => (
          <label key={id} className="choice">
            <input type="radio" name="into" checked={into === id} onChange={() => setInto(id)} />
            <SeverityMark severity={severity} />
            <span>{title}</span>
          </label>
        ))}
      </fieldset>
    </ActionForm>
  )
}

function oldest(incidents: readonly IncidentSummary[]): string {
  return incidents.toSorted((a, b) => a.opened_at_ms - b.opened_at_ms)[0]?.id ?? ''
}

function others(
  all: Iterable<IncidentSummary>,
  one: IncidentSummary | undefined,
  text: string,
): readonly IncidentSummary[] {
  const wanted = text.toLowerCase()
  return [...all]
    .filter(({ id, scope, state }) => id !== one?.id && scope === one?.scope && isPossible('merge', state))
    .filter(({ title, entity }) => `${title} ${entity}`.toLowerCase().includes(wanted))
    .sort((a, b) => b.opened_at_ms - a.opened_at_ms)
    .slice(0, OFFERED_MAX)
}
