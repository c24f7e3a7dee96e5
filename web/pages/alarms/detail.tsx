import { useState } from 'react'
import { useNotify } from '../../frame/notices.tsx'
import { useRefusal } from '../../frame/session.ts'
import { Button } from '../../parts/button.tsx'
import { Moment } from '../../parts/time.tsx'
import { Link } from '../../router/link.tsx'
import { Sensor } from '../../sensor/sensor.tsx'
import { useTexts } from '../../texts/catalogue.ts'
import { acknowledgeable, type Alarm, serviceWindow } from './alarm.ts'
import { ServiceForm, ShelveForm } from './aside_form.tsx'
import { texts } from './texts.ts'
import { useAlarmActions } from './use_alarms.ts'

const TOLD = ['cause', 'consequence', 'corrective_action'] as const

/** One alarm: what it means, what can be done, and the readings behind it. */
export function Detail({ alarm }: { readonly alarm: Alarm }) {
  const t = useTexts(texts)
  const { annotations, labels, muted_by, fingerprint, incident_id, shelved } = alarm
  return (
    <div className="alarm-detail">
      <Actions alarm={alarm} />
      <dl className="alarm-facts">
        {TOLD.map((name) =>
          annotations[name] === undefined ? null : (
            <div key={name}>
              <dt>{t[name]}</dt>
              <dd>{annotations[name]}</dd>
            </div>
          ),
        )}
        {shelved !== null && (
          <div>
            <dt>{t.until}</dt>
            <dd>
              <Moment at_ms={shelved.until_ms} /> · {shelved.by}
            </dd>
          </div>
        )}
        {muted_by.length > 0 && (
          <div>
            <dt>{t.muted_by}</dt>
            <dd>{muted_by.join(', ')}</dd>
          </div>
        )}
        <div>
          <dt>{t.labels}</dt>
          <dd className="mono">
            {Object.entries(labels)
              .map(([name, value]) => `${name}=${value}`)
              .join(' ')}
          </dd>
        </div>
      </dl>
      {incident_id !== null && (
        <Link to={`/incidents/${encodeURIComponent(incident_id)}`}>{t.to_incident}</Link>
      )}
      {labels['detector'] !== undefined && <Sensor fingerprint={fingerprint} />}
    </div>
  )
}

type Asked = 'shelve' | 'service' | null

function Actions({ alarm }: { readonly alarm: Alarm }) {
  const t = useTexts(texts)
  const notify = useNotify()
  const refusal = useRefusal('responder')
  const { acknowledge, unshelve, backToService } = useAlarmActions()
  const [asked, setAsked] = useState<Asked>(null)
  const { state, incident_id, muted_by } = alarm
  const told = async (outcome: Promise<string | null>) => {
    const refused = await outcome
    if (refused !== null) notify({ text: refused })
  }
  const is_seen = state === 'UNACK' || state === 'ACKED'
  const is_shelved = muted_by.some((by) => by.startsWith('shelf:'))
  const own_window = muted_by.includes(`maintenance:${serviceWindow(alarm).name}`)
  return (
    <div className="alarm-actions">
      {acknowledgeable([alarm]).length > 0 && (
        <Button kind="primary" refusal={refusal} onPress={() => void acknowledge(acknowledgeable([alarm]))}>
          {t.acknowledge}
        </Button>
      )}
      {is_seen && incident_id !== null && (
        <Button refusal={refusal} onPress={() => setAsked('shelve')}>
          {t.shelve}
        </Button>
      )}
      {is_shelved && (
        <Button refusal={refusal} onPress={() => void told(unshelve(alarm))}>
          {t.unshelve}
        </Button>
      )}
      {state !== 'OOSRV' && (
        <Button refusal={refusal} onPress={() => setAsked('service')}>
          {t.out_of_service}
        </Button>
      )}
      {state === 'OOSRV' && (
        <Button
          refusal={refusal ?? (own_window ? null : t.not_single)}
          onPress={() => void told(backToService(alarm))}
        >
          {t.back_to_service}
        </Button>
      )}
      <span className="hint">{t.acknowledge_hint}</span>
      {asked === 'shelve' && <ShelveForm alarm={alarm} onClose={() => setAsked(null)} />}
      {asked === 'service' && <ServiceForm alarm={alarm} onClose={() => setAsked(null)} />}
    </div>
  )
}
