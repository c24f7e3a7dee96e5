import { useState } from 'react'
import type { Incident } from '../../../schemas/incident.ts'
import { ActionDialog, type AskedAction } from '../../actions/action_dialog.tsx'
import { useAct } from '../../actions/actions.ts'
import { isPossible } from '../../actions/possible.ts'
import { texts as actionTexts } from '../../actions/texts.ts'
import { useKeys } from '../../frame/keys.tsx'
import { useRefusal } from '../../frame/session.ts'
import { CommandNote } from '../../live/command_note.tsx'
import { useCommandState } from '../../live/commands.ts'
import { Button } from '../../parts/button.tsx'
import { Menu } from '../../parts/menu.tsx'
import { useTexts } from '../../texts/catalogue.ts'
import { texts } from './texts.ts'

type Plain = 'acknowledge' | 'mitigate' | 'review' | 'reopen'
type Offered = Plain | AskedAction

/** In the order of a day's work; what comes first gets a button where there is little room. */
const OFFERED: readonly Offered[] = [
  'acknowledge',
  'review',
  'reopen',
  'assign',
  'resolve',
  'comment',
  'mitigate',
  'silence',
  'merge',
]
const BUTTONS_IN_PANEL = 3
function isPlain(action: Offered): action is Plain {
  return action === 'acknowledge' || action === 'mitigate' || action === 'review' || action === 'reopen'
}

function isOffered(action: Offered, { state }: Incident): boolean {
  if (action === 'assign' || action === 'comment' || action === 'silence') return true
  return isPossible(action, state)
}

interface ActionsProps {
  readonly incident: Incident
  /** Beside a list: the keys belong to the list, and there is little room. */
  readonly in_panel: boolean
}

/** What can be done now; steps that the state does not allow are not offered. */
export function IncidentActions({ incident, in_panel }: ActionsProps) {
  const t = useTexts(texts)
  const a = useTexts(actionTexts)
  const act = useAct()
  const refusal = useRefusal('responder')
  const command = useCommandState(incident.id)
  const [asked, setAsked] = useState<AskedAction | null>(null)
  const ids = [incident.id]
  const offered = OFFERED.filter((action) => isOffered(action, incident))
  const take = (action: Offered) => {
    if (refusal !== null || !offered.includes(action)) return
    if (isPlain(action)) void act(ids, { kind: action })
    else setAsked(action)
  }
  useKeys(
    in_panel
      ? {}
      : {
          a: () => take('acknowledge'),
          i: () => take('assign'),
          r: () => take('resolve'),
          s: () => take('silence'),
          m: () => take('merge'),
          c: () => take('comment'),
        },
  )
  const buttons = in_panel ? offered.slice(0, BUTTONS_IN_PANEL) : offered
  const rest = offered.slice(buttons.length)
  return (
    <div className="incident-actions" role="toolbar" aria-label={t.actions}>
      {buttons.map((action) => (
        <Button
          key={action}
          kind={action === 'acknowledge' ? 'primary' : 'plain'}
          refusal={refusal}
          onPress={() => take(action)}
        >
          {a[action]}
        </Button>
      ))}
      {rest.length > 0 && (
        <Menu
          label={t.more_actions}
          refusal={refusal}
          items={rest.map((action) => ({ id: action, name: a[action] }))}
          onPick={(id) => take(id as Offered)}
        />
      )}
      {command && <CommandNote id={incident.id} command={command} />}
      {asked && <ActionDialog action={asked} ids={ids} onClose={() => setAsked(null)} />}
    </div>
  )
}
