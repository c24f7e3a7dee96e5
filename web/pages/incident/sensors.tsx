import { useId, useState } from 'react'
import type { Incident } from '../../../schemas/incident.ts'
import { Sensor } from '../../sensor/sensor.tsx'
import { texts } from '../../sensor/texts.ts'
import { useTexts } from '../../texts/catalogue.ts'
import { Section } from './section.tsx'

const OFFERED_MAX = 50

/** The readings behind alerts that detectors told; nothing where none did. */
export function Sensors({ incident: { members } }: { readonly incident: Pick<Incident, 'members'> }) {
  const t = useTexts(texts)
  const id = useId()
  const [chosen, setChosen] = useState<string | null>(null)
  const told = members.filter(({ labels }) => labels['detector'] !== undefined).slice(0, OFFERED_MAX)
  const shown =
    told.find(({ fingerprint }) => fingerprint === chosen) ?? told.find(({ firing }) => firing) ?? told[0]
  if (!shown) return null
  const choice = told.length > 1 && (
    <select
      id={id}
      aria-label={t.which}
      className="sensor-choice"
      value={shown.fingerprint}
      onChange={(event) => setChosen(event.target.value)}
    >
      {told.map(({ fingerprint, labels, entity }) => (
        <option key={fingerprint} value={fingerprint}>
          {`${labels['alertname'] ?? ''} · ${entity}`}
        </option>
      ))}
    </select>
  )
  return (
    <Section title={t.sensor} tools={choice}>
      <Sensor key={shown.fingerprint} fingerprint={shown.fingerprint} />
    </Section>
  )
}
