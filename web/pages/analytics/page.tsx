import { useState } from 'react'
import { useLive } from '../../live/store.ts'
import { ServerError } from '../../server/request.ts'
import { useTexts } from '../../texts/catalogue.ts'
import './analytics.css'
import { AsOfContext, useMetric } from './ask.ts'
import { Breaching } from './breaching.tsx'
import { Controls } from './controls.tsx'
import { Curves } from './curves.tsx'
import { Funnel } from './funnel.tsx'
import { Hours } from './hours.tsx'
import { Phases } from './phases.tsx'
import { Recurrence } from './recurrence.tsx'
import { Scatter } from './scatter.tsx'
import { ServiceLevels } from './service_levels.tsx'
import { texts } from './texts.ts'
import { Tiles } from './tiles.tsx'

/** How long things really take, and whether that changed. */
export function AnalyticsPage() {
  const t = useTexts(texts)
  const live = useLive()
  const [now_ms, setNow] = useState(() => live.now())
  return (
    <AsOfContext value={now_ms}>
      <div className="analytics">
        <h1 className="unseen">{t.title}</h1>
        <Controls now_ms={now_ms} onAgain={() => setNow(live.now())} />
        <Panels />
      </div>
    </AsOfContext>
  )
}

function Panels() {
  const t = useTexts(texts)
  const { error } = useMetric('time_to_acknowledge', null, true)
  if (error instanceof ServerError && error.code === 'history-off')
    return (
      <div className="empty">
        <h2>{t.history_off}</h2>
        <p className="soft">{t.history_off_hint}</p>
      </div>
    )
  return (
    <>
      <Tiles />
      <div className="panels">
        <Curves />
        <Scatter />
        <Phases />
        <Funnel />
        <Recurrence />
        <Breaching />
        <ServiceLevels />
        <Hours />
      </div>
    </>
  )
}
