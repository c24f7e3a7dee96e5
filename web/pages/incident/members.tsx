import { useState } from 'react'
import type { Incident, Member } from '../../../schemas/incident.ts'
import { useNotify } from '../../frame/notices.tsx'
import { useRefusal } from '../../frame/session.ts'
import { texts as actionTexts } from '../../actions/texts.ts'
import { useCommands } from '../../live/commands.ts'
import { Button } from '../../parts/button.tsx'
import { SeverityWord } from '../../parts/severity.tsx'
import { Moment } from '../../parts/time.tsx'
import { MaybeLink } from '../../parts/web_link.tsx'
import { useLanguage, useTexts } from '../../texts/catalogue.ts'
import { commonLabels } from './labels.ts'
import { Section } from './section.tsx'
import { texts } from './texts.ts'

/** The alerts of the incident: what they have in common once, then what tells them apart. */
export function Members({ incident }: { readonly incident: Incident }) {
  const t = useTexts(texts)
  const number = new Intl.NumberFormat(useLanguage())
  const { members, members_total } = incident
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const common = commonLabels(members)
  const toggle = (fingerprint: string) => {
    const next = new Set(chosen)
    if (!next.delete(fingerprint)) next.add(fingerprint)
    setChosen(next)
  }
  return (
    <Section
      title={`${t.members} · ${number.format(members_total)}`}
      tools={<Split incident={incident} chosen={chosen} onDone={() => setChosen(new Set())} />}
    >
      <div className="common-labels">
        <span className="soft">{t.common_labels}</span>
        <Labels labels={common} without={{}} />
      </div>
      <ul className="members">
        {members.map((member) => (
          <MemberRow
            key={member.fingerprint}
            member={member}
            common={common}
            is_chosen={chosen.has(member.fingerprint)}
            onToggle={() => toggle(member.fingerprint)}
          />
        ))}
      </ul>
      {members_total > members.length && (
        <p className="soft">{t.more_members(number.format(members_total - members.length))}</p>
      )}
    </Section>
  )
}

type LabelMap = Readonly<Record<string, string>>

function Labels({ labels, without }: { readonly labels: LabelMap; readonly without: LabelMap }) {
  return (
    <ul className="labels">
      {Object.entries(labels)
        .filter(([name]) => !(name in without))
        .map(([name, value]) => (
          <li key={name}>
            <span className="soft">{name}=</span>
            <MaybeLink text={value} />
          </li>
        ))}
    </ul>
  )
}

interface MemberRowProps {
  readonly member: Member
  readonly common: LabelMap
  readonly is_chosen: boolean
  readonly onToggle: () => void
}

function MemberRow({ member, common, is_chosen, onToggle }: MemberRowProps) {
  const t = useTexts(texts)
  const { labels, entity, severity, firing, flapping, silenced_by, starts_at_ms, ended_at_ms, reason } =
    member
  const name = labels['alertname'] ?? entity
  return (
    <li className={firing ? 'member' : 'member over'}>
      <input
        type="checkbox"
        aria-label={t.select_member(`${name} ${entity}`)}
        checked={is_chosen}
        disabled={!firing}
        onChange={onToggle}
      />
      <SeverityWord severity={severity} muted={!firing} />
      <div className="member-name">
        <strong>{name}</strong> {entity}
      </div>
      <div className="member-time soft">
        {firing ? t.firing : t.ended} <Moment at_ms={ended_at_ms ?? starts_at_ms} />
        {flapping && ` · ${t.flapping}`}
      </div>
      <div className="member-more">
        <Labels labels={labels} without={{ ...common, alertname: '', severity: '' }} />
        {silenced_by.length > 0 && <p className="soft">{t.silenced_by(silenced_by.join(', '))}</p>}
        <details>
          <summary>{t.why_this}</summary>
          <p lang="en">{reason.text}</p>
          <p className="soft">
            {reason.rule === '' ? '' : `${reason.rule} · `}
            {t.rules_version(reason.rules_version)} {t.log_time} <Moment at_ms={member.joined_at_ms} />
          </p>
        </details>
      </div>
    </li>
  )
}

interface SplitProps {
  readonly incident: Incident
  readonly chosen: ReadonlySet<string>
  readonly onDone: () => void
}

function Split({ incident, chosen, onDone }: SplitProps) {
  const t = useTexts(texts)
  const a = useTexts(actionTexts)
  const commands = useCommands()
  const notify = useNotify()
  const refusal = useRefusal('responder')
  if (chosen.size === 0) return <span className="hint">{t.split_hint}</span>
  const split = async () => {
    const state = await commands.send(incident.id, { kind: 'split', fingerprints: [...chosen] })
    onDone()
    notify({
      text: state === null ? a.done_split : state.status === 'refused' ? state.message : a.not_confirmed,
    })
  }
  return (
    <Button refusal={refusal} onPress={() => void split()}>
      {t.split(chosen.size)}
    </Button>
  )
}
