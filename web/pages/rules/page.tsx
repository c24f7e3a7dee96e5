import { Link } from '../../router/link.tsx'
import { useLocation } from '../../router/location.ts'
import { useTexts } from '../../texts/catalogue.ts'
import { Detectors } from './detectors.tsx'
import { Grouping } from './grouping.tsx'
import { Maintenance } from './maintenance.tsx'
import './rules.css'
import { texts as inForce } from './in_force_texts.ts'
import { Silences } from './silences.tsx'
import { Suppression } from './suppression.tsx'
import { texts } from './texts.ts'
import { TopologyLookup } from './topology_lookup.tsx'

const SECTIONS = {
  silences: Silences,
  maintenance: Maintenance,
  grouping: Grouping,
  suppression: Suppression,
  detectors: Detectors,
  topology: TopologyLookup,
} as const
type Section = keyof typeof SECTIONS

/** `/rules/<section>` */
export function RulesPage() {
  const t = { ...useTexts(texts), ...useTexts(inForce) }
  const { path } = useLocation()
  const asked = path.split('/')[2] ?? ''
  const section: Section = asked in SECTIONS ? (asked as Section) : 'silences'
  const Shown = SECTIONS[section]
  return (
    <div className="page">
      <h1>
        {t.title} <small className="soft">{t.intro}</small>
      </h1>
      <nav className="sections" aria-label={t.sections}>
        {(Object.keys(SECTIONS) as Section[]).map((name) => (
          <Link key={name} to={`/rules/${name}`} current={name === section}>
            {t[name]}
          </Link>
        ))}
      </nav>
      <Shown />
    </div>
  )
}
