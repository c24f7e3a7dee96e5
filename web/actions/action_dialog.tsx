import { type ReactNode, useId, useState } from 'react'
import { useSession } from '../frame/session.ts'
import { useSettings } from '../frame/settings.tsx'
import { useLive } from '../live/store.ts'
import { Button } from '../parts/button.tsx'
import { ComboBox } from '../parts/combobox.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { useTexts } from '../texts/catalogue.ts'
import { ActionForm, type FormProps } from './action_form.tsx'
import { useAct } from './actions.ts'
import { MergeForm } from './merge_form.tsx'
import { SilenceForm } from './silence_form.tsx'
import { texts } from './texts.ts'

export type AskedAction = 'assign' | 'resolve' | 'comment' | 'silence' | 'merge'

interface ActionProps {
  readonly action: AskedAction
  readonly ids: readonly string[]
  readonly onClose: () => void
}

/** What has to be said before an action is carried out: to whom, why, into which. */
export function ActionDialog({ action, ids, onClose }: ActionProps) {
  const t = useTexts(texts)
  const Form = FORMS[action]
  return (
    <Dialog title={t[action]} onClose={onClose}>
      <p className="hint dialog-hint">{t.for_incidents(ids.length)}</p>
      <Form ids={ids} onClose={onClose} />
    </Dialog>
  )
}

const FORMS: Readonly<Record<AskedAction, (props: FormProps) => ReactNode>> = {
  assign: AssignForm,
  resolve: ResolveForm,
  comment: CommentForm,
  silence: SilenceForm,
  merge: MergeForm,
}

function AssignForm({ ids, onClose }: FormProps) {
  const t = useTexts(texts)
  const act = useAct()
  const live = useLive()
  const session = useSession()
  const { settings } = useSettings()
  const me =
    session?.login === 'done' ? (session.actor ?? '') : settings.name.trim() || (session?.actor ?? '')
  const [assignee, setAssignee] = useState('')
  const known = new Set([...live.all()].flatMap((one) => (one.assignee === null ? [] : [one.assignee])))
  const assign = (to: string | null) => {
    onClose()
    void act(ids, { kind: 'assign', assignee: to })
  }
  return (
    <ActionForm submit={t.assign} onClose={onClose} onSubmit={() => assign(assignee.trim() || null)}>
      <ComboBox
        label={t.to_whom}
        free
        items={[...known].sort().map((name) => ({ id: name, name, hint: '' }))}
        value={assignee}
        onPick={setAssignee}
      />
      <div className="row">
        {me !== '' && <Button onPress={() => assign(me)}>{t.to_me}</Button>}
        <Button onPress={() => assign(null)}>{t.to_nobody}</Button>
      </div>
    </ActionForm>
  )
}

function ResolveForm({ ids, onClose }: FormProps) {
  const t = useTexts(texts)
  const act = useAct()
  const [comment, setComment] = useState('')
  const id = useId()
  const submit = () => {
    onClose()
    const why = comment.trim()
    void act(ids, { kind: 'resolve', ...(why !== '' && { comment: why }) })
  }
  return (
    <ActionForm submit={t.resolve} onClose={onClose} onSubmit={submit}>
      <p className="hint">{t.resolve_hint}</p>
      <div>
        <label htmlFor={id}>{t.why_optional}</label>
        <textarea
          id={id}
          autoFocus
          rows={3}
          maxLength={4_000}
          value={comment}
          onChange={(event) => setComment(event.target.value)}
        />
      </div>
    </ActionForm>
  )
}

function CommentForm({ ids, onClose }: FormProps) {
  const t = useTexts(texts)
  const act = useAct()
  const [comment, setComment] = useState('')
  const id = useId()
  const submit = () => {
    if (comment.trim() === '') return
    onClose()
    void act(ids, { kind: 'comment', comment: comment.trim() })
  }
  return (
    <ActionForm submit={t.comment} onClose={onClose} onSubmit={submit}>
      <div>
        <label htmlFor={id}>{t.comment}</label>
        <textarea
          id={id}
          autoFocus
          rows={4}
          required
          maxLength={4_000}
          value={comment}
          onChange={(event) => setComment(event.target.value)}
        />
      </div>
    </ActionForm>
  )
}
