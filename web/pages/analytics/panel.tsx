import { type ReactNode, useId, useState } from 'react'
import type { TableAnswer } from '../../../schemas/analytics_answer.ts'
import { Button } from '../../parts/button.tsx'
import { Dialog } from '../../parts/dialog.tsx'
import { setQuery, useLocation } from '../../router/location.ts'
import { ServerError } from '../../server/request.ts'
import { useTexts } from '../../texts/catalogue.ts'
import type { Asked } from './ask.ts'
import { texts } from './texts.ts'
import type { PanelName } from './view.ts'

type Explained = NonNullable<TableAnswer['explain']>

interface PanelProps<Answer> {
  readonly name: PanelName
  readonly title: string
  readonly asked: Asked<Answer>
  /** What the chart says, in words. */
  readonly sentence: (answer: Answer) => string
  readonly chart: (answer: Answer) => ReactNode
  /** The same in numbers; left out where the chart is a table itself. */
  readonly table?: (answer: Answer) => ReactNode
  readonly hint?: string
  /** Choices of this panel alone. */
  readonly choices?: ReactNode
  readonly wide?: boolean
}

/** A chart with its sentence, its table, and what it was made of. */
export function Panel<Answer extends { readonly explain?: Explained | undefined }>(
  props: PanelProps<Answer>,
) {
  const { name, title, asked, sentence, chart, table, hint, choices, wide = false } = props
  const id = useId()
  const shown = useLocation().query.get('tables')?.split(',') ?? []
  const as_table = table !== undefined && shown.includes(name)
  const toggle = () => {
    const next = as_table ? shown.filter((one) => one !== name) : [...shown, name]
    setQuery({ tables: next.join(',') }, { replace: true })
  }
  return (
    <section className={wide ? 'panel wide' : 'panel'} aria-labelledby={id} aria-busy={asked.is_old}>
      <header>
        <h2 id={id}>{title}</h2>
        {choices}
        <Tools title={title} asked={asked} {...(table && { as_table, toggle })} />
      </header>
      {asked.answer === undefined ? (
        <Missing error={asked.error} />
      ) : (
        <>
          <p className="panel-sentence">{sentence(asked.answer)}</p>
          {as_table ? table(asked.answer) : chart(asked.answer)}
          {hint !== undefined && <p className="hint">{hint}</p>}
        </>
      )}
    </section>
  )
}

interface ToolsProps {
  readonly title: string
  readonly asked: Asked<{ readonly explain?: Explained | undefined }>
  readonly as_table?: boolean
  readonly toggle?: () => void
}

export function Tools({ title, asked: { answer, csv }, as_table, toggle }: ToolsProps) {
  const t = useTexts(texts)
  const [open, setOpen] = useState(false)
  return (
    <div className="panel-tools">
      {toggle && (
        <Button kind="quiet" label={t.table_of(title)} pressed={as_table ?? false} onPress={toggle}>
          {t.table}
        </Button>
      )}
      {answer?.explain && (
        <Button kind="quiet" label={t.sql_of(title)} onPress={() => setOpen(true)}>
          {t.sql}
        </Button>
      )}
      <a className="button quiet" href={csv} download aria-label={t.csv_of(title)}>
        {t.csv}
      </a>
      {open && answer?.explain && (
        <SqlDialog title={title} explained={answer.explain} onClose={() => setOpen(false)} />
      )}
    </div>
  )
}

interface SqlDialogProps {
  readonly title: string
  readonly explained: Explained
  readonly onClose: () => void
}

function SqlDialog({ title, explained: { sql, parameters }, onClose }: SqlDialogProps) {
  const t = useTexts(texts)
  return (
    <Dialog title={t.sql_of(title)} onClose={onClose} wide>
      <p className="hint dialog-hint">{t.sql_hint}</p>
      <pre className="sql" tabIndex={0} role="region" aria-label={t.sql}>
        {dedented(sql)}
      </pre>
      <h3>{t.parameters}</h3>
      <pre className="sql" tabIndex={0} role="region" aria-label={t.parameters}>
        {Object.entries(parameters)
          .map(([name, value]) => `${name} = ${JSON.stringify(value)}`)
          .join('\n')}
      </pre>
    </Dialog>
  )
}

function dedented(sql: string): string {
  const lines = sql.split('\n').filter((line) => line.trim() !== '')
  const indents = lines.slice(1).map((line) => line.length - line.trimStart().length)
  const least = Math.min(...indents, 40)
  return lines.map((line, i) => (i === 0 ? line.trim() : line.slice(least))).join('\n')
}

/** Nothing is there yet, or the history does not answer. */
export function Missing({ error }: { readonly error: unknown }) {
  const t = useTexts(texts)
  if (error instanceof ServerError)
    return (
      <div role="alert" className="panel-missing">
        <p className="failure">{t.cannot_ask(error.code)}</p>
        <p className="soft">{error.status >= 500 || error.status === 0 ? t.unavailable : error.message}</p>
      </div>
    )
  return <div className="skeleton panel-skeleton" aria-hidden="true" />
}
