import { DataTable } from '../../parts/data_table.tsx'
import { SeverityWord } from '../../parts/severity.tsx'
import { Link } from '../../router/link.tsx'
import { useTexts } from '../../texts/catalogue.ts'
import { words } from '../../texts/words.ts'
import { useRows } from './ask.ts'
import { useFormats } from './format.ts'
import { Panel } from './panel.tsx'
import type { Due } from './rows.ts'
import { texts } from './texts.ts'

const SHOWN = 12

/** What is late comes last of what needs a hand now: first those that can still be in time. */
function byDeadline(rows: readonly Due[]): readonly Due[] {
  const in_time = rows.filter(({ left_ms }) => left_ms >= 0)
  const late = rows.filter(({ left_ms }) => left_ms < 0)
  return [...in_time.sort((a, b) => a.left_ms - b.left_ms), ...late.sort((a, b) => b.left_ms - a.left_ms)]
}

/** Open incidents by the time that is left to the target of resolution. */
export function Breaching() {
  const t = useTexts(texts)
  const { count } = useFormats()
  const asked = useRows('breaching')
  const rows = byDeadline(asked.answer?.rows ?? [])
  return (
    <Panel
      name="breaching"
      title={t.breaching}
      asked={asked}
      sentence={() =>
        rows.length === 0
          ? t.breaching_none
          : t.breaching_sentence(count(rows.length), count(rows.filter(({ left_ms }) => left_ms < 0).length))
      }
      chart={() => rows.length > 0 && <Deadlines rows={rows.slice(0, SHOWN)} />}
    />
  )
}

function Deadlines({ rows }: { readonly rows: readonly Due[] }) {
  const t = useTexts(texts)
  const w = useTexts(words)
  const { figure } = useFormats()
  return (
    <DataTable
      label={t.breaching}
      rows={rows}
      keyOf={({ id }) => id}
      columns={[
        { title: w.severity, of: ({ severity }) => <SeverityWord severity={severity} /> },
        {
          title: t.incident,
          of: ({ id, title }) => <Link to={`/incidents/${encodeURIComponent(id)}`}>{title}</Link>,
        },
        { title: t.assignee, of: ({ assignee }) => assignee ?? w.nobody },
        {
          title: t.left,
          numeric: true,
          of: ({ left_ms }) => (left_ms < 0 ? t.late_by(figure('ms', -left_ms)) : figure('ms', left_ms)),
        },
      ]}
    />
  )
}
