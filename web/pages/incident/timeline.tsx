import { useState } from 'react'
import type { Incident, TimelineEntry } from '../../../schemas/incident.ts'
import { useAct } from '../../actions/actions.ts'
import { useRefusal } from '../../frame/session.ts'
import { Button } from '../../parts/button.tsx'
import { Moment } from '../../parts/time.tsx'
import { useTexts } from '../../texts/catalogue.ts'
import { words } from '../../texts/words.ts'
import { Section } from './section.tsx'
import { texts } from './texts.ts'

type Shown = 'all_entries' | 'people' | 'machine'
const SHOWN: readonly Shown[] = ['all_entries', 'people', 'machine']
/** The actor of what Tocsin does by itself (correlate/draft.ts). */
const SYSTEM = 'tocsin'

function isShown({ actor }: TimelineEntry, shown: Shown): boolean {
  return shown === 'all_entries' || (actor === SYSTEM) === (shown === 'machine')
}

/** What happened and who did it, newest first. */
export function Timeline({ incident }: { readonly incident: Incident }) {
  const t = useTexts(texts)
  const [shown, setShown] = useState<Shown>('all_entries')
  const entries = incident.timeline.filter((entry) => isShown(entry, shown)).reverse()
  return (
    <Section
      title={t.timeline}
      tools={
        <div className="chips">
          {SHOWN.map((one) => (
            <Button key={one} kind="quiet" pressed={one === shown} onPress={() => setShown(one)}>
              {t[one]}
            </Button>
          ))}
        </div>
      }
    >
      <CommentField incident={incident} />
      <ol className="timeline">
        {entries.map((entry) => (
          <Entry key={`${entry.revision} ${entry.kind} ${entry.at_ms}`} entry={entry} />
        ))}
      </ol>
    </Section>
  )
}

function Entry({ entry: { at_ms, actor, kind, text, revision } }: { readonly entry: TimelineEntry }) {
  const w = useTexts(words)
  const t = useTexts(texts)
  const said = kind === 'commented'
  return (
    <li className={said ? 'said' : undefined}>
      <Moment at_ms={at_ms} />
      <div>
        <p className="entry-text">{text}</p>
        <p className="soft">
          {actor === SYSTEM ? w.system : actor} · {t.revision(String(revision))}
        </p>
      </div>
    </li>
  )
}

function CommentField({ incident }: { readonly incident: Incident }) {
  const t = useTexts(texts)
  const w = useTexts(words)
  const act = useAct()
  const refusal = useRefusal('responder')
  const [text, setText] = useState('')
  const send = () => {
    const comment = text.trim()
    if (comment === '') return
    setText('')
    void act([incident.id], { kind: 'comment', comment })
  }
  return (
    <form
      className="comment-field"
      onSubmit={(event) => {
        event.preventDefault()
        if (refusal === null) send()
      }}
    >
      <input
        aria-label={t.add_comment}
        placeholder={t.add_comment}
        maxLength={4_000}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <Button refusal={refusal} onPress={send}>
        {w.comment}
      </Button>
    </form>
  )
}
