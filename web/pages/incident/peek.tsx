import { Button } from '../../parts/button.tsx'
import { Link } from '../../router/link.tsx'
import { useTexts } from '../../texts/catalogue.ts'
import { IncidentActions } from './actions.tsx'
import { Causes } from './causes.tsx'
import { Facts, Stepper } from './head.tsx'
import './incident.css'
import { texts } from './texts.ts'
import { Topology } from './topology.tsx'
import { Unknown } from './unknown.tsx'
import { useIncident } from './use_incident.ts'
import { Why } from './why.tsx'

interface PeekProps {
  readonly id: string
  readonly onClose: () => void
}

/** One incident beside the list: what it is, what it comes from, why it is one. */
export function Peek({ id, onClose }: PeekProps) {
  const t = useTexts(texts)
  const { incident, error } = useIncident(id)
  return (
    <aside className="panel" aria-label={incident?.title} data-scroll="panel">
      <div className="panel-tools">
        <h2 className="panel-title">{incident?.title}</h2>
        <Link to={`/incidents/${encodeURIComponent(id)}`}>{t.open_page}</Link>
        <Button kind="quiet" label={t.close_panel} shortcut="Escape" onPress={onClose}>
          ✕
        </Button>
      </div>
      {!incident && error && <Unknown error={error} />}
      {incident && (
        <>
          <Facts incident={incident} />
          <Stepper incident={incident} />
          <IncidentActions incident={incident} in_panel />
          <Causes incident={incident} />
          <Why incident={incident} brief />
          <Topology id={id} />
        </>
      )}
    </aside>
  )
}
