import type { AskedAction } from '../../actions/action_dialog.tsx'
import { useAct } from '../../actions/actions.ts'
import { texts as actionTexts } from '../../actions/texts.ts'
import { useRefusal } from '../../frame/session.ts'
import { useLive } from '../../live/store.ts'
import { Button } from '../../parts/button.tsx'
import { useTexts } from '../../texts/catalogue.ts'
import { csvOf, download } from './csv.ts'
import { texts } from './texts.ts'

interface ActionsProps {
  readonly ids: readonly string[]
  readonly onAsk: (action: AskedAction) => void
  readonly onDrop: () => void
}

const ASKED = [
  ['assign', 'i'],
  ['resolve', 'r'],
  ['silence', 's'],
  ['merge', 'm'],
  ['comment', 'c'],
] as const satisfies readonly (readonly [AskedAction, string])[]

/** What can be done with what is selected. */
export function Actions({ ids, onAsk, onDrop }: ActionsProps) {
  const t = useTexts(texts)
  const a = useTexts(actionTexts)
  const live = useLive()
  const act = useAct()
  const refusal = useRefusal('responder')
  const selected = () => ids.map((id) => live.get(id)).filter((incident) => incident !== undefined)
  return (
    <div className="actions" role="toolbar" aria-label={t.selected(ids.length)}>
      <span className="number">{t.selected(ids.length)}</span>
      <Button
        kind="primary"
        shortcut="a"
        refusal={refusal}
        onPress={() => void act(ids, { kind: 'acknowledge' })}
      >
        {a.acknowledge}
      </Button>
      {ASKED.map(([action, key]) => (
        <Button key={action} shortcut={key} refusal={refusal} onPress={() => onAsk(action)}>
          {a[action]}
        </Button>
      ))}
      <Button onPress={() => download('incidents.csv', csvOf(selected()))}>{t.csv}</Button>
      <Button kind="quiet" label={t.drop_selection} onPress={onDrop}>
        ✕
      </Button>
    </div>
  )
}
