import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useId, useState } from 'react'
import { useRefusal } from '../../frame/session.ts'
import { Button } from '../../parts/button.tsx'
import { SeverityWord } from '../../parts/severity.tsx'
import { request, ServerError } from '../../server/request.ts'
import { useTexts } from '../../texts/catalogue.ts'
import type { Severity } from '../../../schemas/alert.ts'
import type { Source } from './rates.ts'
import { texts } from './texts.ts'

interface Trial {
  readonly alerts: readonly {
    readonly ordinal: number
    readonly severity: Severity
    readonly entity: string
    readonly scope: string
    readonly labels: Readonly<Record<string, string>>
  }[]
  readonly rejects: readonly { readonly ordinal: number; readonly code: string; readonly reason: string }[]
  readonly dropped: number
}

/** Formats that can be tried without a source of their own (schemas/source_formats.ts). */
const FORMATS = [
  'alertmanager',
  'alertmanager-webhook',
  'grafana',
  'pagerduty',
  'cloudevents',
  'zabbix',
  'datadog',
  'nagios',
  'sentry',
  'uptime-kuma',
  'cloudwatch',
  'azure-monitor',
  'gcp-monitoring',
  'opsgenie',
] as const

const EXAMPLE = '[{"labels":{"alertname":"DiskFull","instance":"db-1","severity":"critical"}}]'

/** A dry run: what a sender's message would become, before the sender is pointed here. */
export function TryMessage() {
  const t = useTexts(texts)
  const refusal = useRefusal('responder')
  const [name, setName] = useState<string>('alertmanager')
  const [message, setMessage] = useState(EXAMPLE)
  const [result, setResult] = useState<Trial | string | null>(null)
  const [name_id, message_id] = [useId(), useId()]
  const run = async () => {
    try {
      setResult(
        await request<Trial>(`/api/v1/sources/${encodeURIComponent(name)}/try`, {
          method: 'POST',
          text: message,
        }),
      )
    } catch (error) {
      if (!(error instanceof ServerError)) throw error
      setResult(error.message)
    }
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (refusal === null) void run()
  }
  return (
    <section>
      <h2 className="page-h2">
        {t.try_title} <small className="soft">{t.try_hint}</small>
      </h2>
      <form className="card form try-form" onSubmit={submit}>
        <div>
          <label htmlFor={name_id}>{t.format}</label>
          <NameField id={name_id} value={name} onChange={setName} />
        </div>
        <div>
          <label htmlFor={message_id}>{t.message}</label>
          <textarea
            id={message_id}
            className="mono"
            rows={5}
            spellCheck={false}
            value={message}
            onChange={(event) => setMessage(event.target.value)}
          />
        </div>
        <footer>
          <Button refusal={refusal} onPress={() => void run()}>
            {t.try_it}
          </Button>
        </footer>
        <div aria-live="polite">{result !== null && <Result result={result} />}</div>
      </form>
    </section>
  )
}

interface NameFieldProps {
  readonly id: string
  readonly value: string
  readonly onChange: (name: string) => void
}

function NameField({ id, value, onChange }: NameFieldProps) {
  const { data } = useQuery({
    queryKey: ['sources'],
    queryFn: () => request<{ sources: readonly Source[] }>('/api/v1/sources'),
  })
  const names = new Set([...FORMATS, ...(data?.sources.map((source) => source.name) ?? [])])
  return (
    <select id={id} value={value} onChange={(event) => onChange(event.target.value)}>
      {[...names].map((name) => (
        <option key={name}>{name}</option>
      ))}
    </select>
  )
}

function Result({ result }: { readonly result: Trial | string }) {
  const t = useTexts(texts)
  if (typeof result === 'string') return <p role="alert">{t.invalid(result)}</p>
  const { alerts, rejects, dropped } = result
  return (
    <>
      <p>
        <strong>{t.try_result(alerts.length, rejects.length, dropped)}</strong>
      </p>
      <ul className="tried">
        {alerts.map(({ ordinal, severity, entity, scope, labels }) => (
          <li key={`alert ${ordinal}`}>
            <SeverityWord severity={severity} /> <strong>{labels['alertname']}</strong> {entity}{' '}
            <span className="soft">{scope}</span>
          </li>
        ))}
        {rejects.map(({ ordinal, code, reason }) => (
          <li key={`reject ${ordinal}`}>
            {t.item(ordinal)}: <strong>{code}</strong> <span className="soft">{reason}</span>
          </li>
        ))}
      </ul>
    </>
  )
}
