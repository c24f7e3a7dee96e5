import { useSettings } from '../../frame/settings.tsx'
import { useTexts } from '../../texts/catalogue.ts'
import type { AlarmState } from './alarm.ts'
import { texts } from './texts.ts'

const GLYPHS: Readonly<Record<AlarmState, string>> = {
  UNACK: 'M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13z',
  RTNUN: 'M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zv13',
  ACKED: 'M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM5 8.2l2.1 2.2L11 6',
  SHLVD: 'M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM8 4.5V8l2.4 1.8',
  DSUPR: 'M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM3.5 12.5l9-9',
  OOSRV: 'M2 2h12v12H2zM5 5l6 6m0-6-6 6',
}

/** The state by its code and a shape; the word stands in the title. What nobody has acknowledged blinks, unless Settings say no. */
export function StateMark({ state }: { readonly state: AlarmState }) {
  const t = useTexts(texts)
  const { blink } = useSettings().settings
  return (
    <span className="alarm-state" title={t[state]}>
      <svg
        viewBox="0 0 16 16"
        className="alarm-glyph"
        data-state={state}
        data-blink={blink}
        aria-hidden="true"
      >
        <path d={GLYPHS[state]} />
      </svg>
      <abbr title={t[state]} className="number">
        {state}
      </abbr>
    </span>
  )
}
