import { useTexts } from '../../texts/catalogue.ts'
import { Sinks } from './sinks.tsx'
import './sources.css'
import { SourceTable } from './source_table.tsx'
import { texts } from './texts.ts'
import { TryMessage } from './try_message.tsx'

/** Does it arrive, and does it leave? */
export function SourcesPage() {
  const t = useTexts(texts)
  return (
    <div className="page">
      <h1>
        {t.title} <small className="soft">{t.intro}</small>
      </h1>
      <SourceTable />
      <Sinks />
      <TryMessage />
    </div>
  )
}
