import { memo, type MouseEvent } from 'react'
import type { IncidentSummary } from '../../../schemas/incident_summary.ts'
import { CommandNote } from '../../live/command_note.tsx'
import { useCommandState } from '../../live/commands.ts'
import { useLiveIncident } from '../../live/store.ts'
import { SeverityWord } from '../../parts/severity.tsx'
import { Age } from '../../parts/time.tsx'
import { Link } from '../../router/link.tsx'
import { useLanguage, useTexts } from '../../texts/catalogue.ts'
import { words } from '../../texts/words.ts'
import { TicketLink } from './ticket_link.tsx'
import { texts } from './texts.ts'
import { openPanel } from './use_list.ts'
import { UNRESOLVED } from './view.ts'

interface RowProps {
  readonly id: string
  readonly index: number
  readonly top_px: number
  readonly is_active: boolean
  readonly is_selected: boolean
  readonly onToggle: () => void
  readonly onActive: () => void
}

export function rowId(id: string): string {
  return `row-${id}`
}

/** One incident. Its values change in place; where it stands is the list's affair. */
export const Row = memo(function Row({
  id,
  index,
  top_px,
  is_active,
  is_selected,
  onToggle,
  onActive,
}: RowProps) {
  const incident = useLiveIncident(id)
  if (!incident) return null
  const clicked = (event: MouseEvent) => {
    if (event.target instanceof HTMLElement && event.target.closest('a, button, input')) return
    onActive()
    openPanel(id)
  }
  return (
    // The grid has the focus; its keys act on the active row.
    <div
      id={rowId(id)}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={is_selected}
      className={`row${is_active ? ' active' : ''}${UNRESOLVED.includes(incident.state) ? '' : ' over'}`}
      style={{ transform: `translateY(${top_px}px)` }}
      onClick={clicked}
    >
      <Cells incident={incident} is_selected={is_selected} onToggle={onToggle} />
    </div>
  )
}, sameRow)

function sameRow(a: RowProps, b: RowProps): boolean {
  return (
    a.id === b.id &&
    a.index === b.index &&
    a.top_px === b.top_px &&
    a.is_active === b.is_active &&
    a.is_selected === b.is_selected &&
    a.onToggle === b.onToggle
  )
}

interface CellsProps {
  readonly incident: IncidentSummary
  readonly is_selected: boolean
  readonly onToggle: () => void
}

function Cells({ incident, is_selected, onToggle }: CellsProps) {
  const t = useTexts(texts)
  const { id, severity, state, title, scope, entity, assignee, opened_at_ms, updated_at_ms, tickets } =
    incident
  const over = !UNRESOLVED.includes(state)
  return (
    <>
      <div role="gridcell" className="cell select">
        <input
          type="checkbox"
          tabIndex={-1}
          aria-label={t.select(title)}
          checked={is_selected}
          onChange={onToggle}
        />
      </div>
      <div role="gridcell" className="cell severity-cell">
        <SeverityWord severity={severity} muted={over} />
      </div>
      <div role="gridcell" className="cell state">
        <State incident={incident} />
      </div>
      <div role="gridcell" className="cell title">
        <Link to={`/incidents/${encodeURIComponent(id)}`} className="one-line incident-title" tabIndex={-1}>
          {title}
        </Link>
        <CauseLine incident={incident} />
      </div>
      <div role="gridcell" className="cell about">
        <span className="one-line">{entity}</span>
        <span className="one-line soft">{scope}</span>
      </div>
      <div role="gridcell" className="cell alerts">
        <AlertCount incident={incident} />
      </div>
      <div role="gridcell" className="cell age">
        <Age since_ms={opened_at_ms} />
      </div>
      <div role="gridcell" className="cell assignee">
        <span className="one-line">{assignee}</span>
      </div>
      <div role="gridcell" className="cell ticket">
        {tickets.map((ticket) => (
          <TicketLink key={ticket.sink} ticket={ticket} />
        ))}
      </div>
      <div role="gridcell" className="cell changed">
        <Age since_ms={updated_at_ms} />
      </div>
    </>
  )
}

/** While one entity alone alerts there is no cause to choose; the line then says where it is. */
function CauseLine({ incident }: { readonly incident: IncidentSummary }) {
  const t = useTexts(texts)
  const { cause, entity, entities, scope } = incident
  const said =
    cause && entities > 1
      ? t.likely_cause(cause.entity, cause.reasons[0] ?? '')
      : [entities > 1 ? t.entities(entities) : entity, scope].filter(Boolean).join(' · ')
  return (
    <span className="one-line soft" title={said}>
      {said}
    </span>
  )
}

function AlertCount({ incident }: { readonly incident: IncidentSummary }) {
  const t = useTexts(texts)
  const number = new Intl.NumberFormat(useLanguage())
  const firing = number.format(incident.members_firing)
  const total = number.format(incident.members_total)
  return (
    <span className="number" title={t.firing_of_total(firing, total)}>
      {firing}
      <span className="soft">/{total}</span>
    </span>
  )
}

function State({ incident }: { readonly incident: IncidentSummary }) {
  const t = useTexts(texts)
  const w = useTexts(words)
  const command = useCommandState(incident.id)
  if (command) return <CommandNote id={incident.id} command={command} />
  return (
    <>
      <span className={incident.state === 'open' ? 'state-word open' : 'state-word'}>
        {w[incident.state]}
      </span>
      {incident.suppressed && <span className="soft">{t.suppressed}</span>}
    </>
  )
}
