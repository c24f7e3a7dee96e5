import { useEffect } from 'react'
import { useKeys } from '../../frame/keys.tsx'
import { useLiveIncidents } from '../../live/store.ts'
import { Button } from '../../parts/button.tsx'
import { Link } from '../../router/link.tsx'
import { navigate } from '../../router/location.ts'
import { useTexts } from '../../texts/catalogue.ts'
import { ordered, viewOf } from '../incidents/view.ts'
import { IncidentActions } from './actions.tsx'
import { Causes } from './causes.tsx'
import { Deliveries } from './deliveries.tsx'
import { Facts, Stepper } from './head.tsx'
import './incident.css'
import { Members } from './members.tsx'
import { Sensors } from './sensors.tsx'
import { Similar } from './similar.tsx'
import { texts } from './texts.ts'
import { Timeline } from './timeline.tsx'
import { Topology } from './topology.tsx'
import { Unknown } from './unknown.tsx'
import { useIncident } from './use_incident.ts'
import { Why } from './why.tsx'

/** Everything about one incident, on one page. */
export function IncidentPage({ id }: { readonly id: string }) {
  const { incident, error } = useIncident(id)
  const title = incident?.title
  useEffect(() => {
    if (title !== undefined) document.title = `${title} · Tocsin`
  }, [title])
  useSiblingKeys(id)
  if (!incident) return error ? <Unknown error={error} /> : null
  return (
    <article className="incident">
      <header className="incident-head">
        <div className="incident-title-line">
          <h1>{incident.title}</h1>
          <Siblings id={id} />
        </div>
        <Facts incident={incident} />
        <div className="incident-steps">
          <Stepper incident={incident} />
          <IncidentActions incident={incident} in_panel={false} />
        </div>
      </header>
      <div className="incident-columns">
        <div>
          <Causes incident={incident} />
          <Why incident={incident} />
          <Sensors incident={incident} />
          <Topology id={id} />
          <Members incident={incident} />
        </div>
        <div>
          <Timeline incident={incident} />
          <Deliveries id={id} />
          <Similar id={id} />
        </div>
      </div>
    </article>
  )
}

/** The incidents before and after this one in the list of what needs somebody. */
function useSiblings(id: string): { readonly previous: string | null; readonly next: string | null } {
  const incidents = useLiveIncidents()
  const order = ordered(viewOf(new URLSearchParams()), incidents.values())
  const at = order.indexOf(id)
  return { previous: at > 0 ? (order[at - 1] ?? null) : null, next: order[at + 1] ?? null }
}

function go(id: string | null): void {
  if (id !== null) navigate(`/incidents/${encodeURIComponent(id)}`)
}

function useSiblingKeys(id: string): void {
  const { previous, next } = useSiblings(id)
  useKeys({ '[': () => go(previous), ']': () => go(next) })
}

function Siblings({ id }: { readonly id: string }) {
  const t = useTexts(texts)
  const { previous, next } = useSiblings(id)
  return (
    <div className="siblings">
      <Link to="/incidents">{t.back}</Link>
      {previous !== null && (
        <Button kind="quiet" label={t.previous} shortcut="[" onPress={() => go(previous)}>
          ‹
        </Button>
      )}
      {next !== null && (
        <Button kind="quiet" label={t.next} shortcut="]" onPress={() => go(next)}>
          ›
        </Button>
      )}
    </div>
  )
}
