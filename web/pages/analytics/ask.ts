import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { createContext, use } from 'react'
import type { MetricAnswer, SurvivalAnswer, TableAnswer } from '../../../schemas/analytics_answer.ts'
import { useZone } from '../../frame/zone.ts'
import { useLocation } from '../../router/location.ts'
import { request } from '../../server/request.ts'
import type { Rows } from './rows.ts'
import { parametersOf, type View, viewOf } from './view.ts'

const ROOT = '/api/v1/analytics'

/** Until when the page asks: the same for all of its panels, so that they are about the same incidents. */
export const AsOfContext = createContext(0)

export function useView(): View {
  return viewOf(useLocation().query)
}

/** What a panel asked for, what came, and where all rows behind it are. */
export interface Asked<Answer> {
  readonly answer: Answer | undefined
  readonly error: unknown
  /** The answer is that to the question before; the one to this question is under way. */
  readonly is_old: boolean
  readonly csv: string
}

interface Wanted {
  /** Below the root of the API. */
  readonly path: string
  readonly compare?: boolean
  readonly more?: Readonly<Record<string, string>>
  /** Where the rows behind it are, when not in the same place. */
  readonly csv_path?: string
  /** Parameters that only the figure has. */
  readonly without_csv?: readonly string[]
}

function useAsked<Answer>({
  path,
  compare = false,
  more = {},
  csv_path = path,
  without_csv = [],
}: Wanted): Asked<Answer> {
  const view = useView()
  const zone = useZone()
  const parameters = parametersOf(view, use(AsOfContext), zone, compare)
  for (const [name, value] of Object.entries(more)) parameters.set(name, value)
  const rows = new URLSearchParams(parameters)
  for (const name of ['compare_from', 'compare_to', ...without_csv]) rows.delete(name)
  rows.set('format', 'csv')
  parameters.set('explain', 'true')
  const url = `${ROOT}/${path}?${parameters}`
  const { data, error, isPlaceholderData } = useQuery({
    queryKey: ['analytics', url],
    queryFn: ({ signal }): Promise<unknown> => request(url, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
    // While another question is under way the answer to the one before stays.
    placeholderData: keepPreviousData,
  })
  return {
    answer: data as Answer | undefined,
    error,
    is_old: isPlaceholderData,
    csv: `${ROOT}/${csv_path}?${rows}`,
  }
}

export function useMetric(name: string, by: string | null = null, compare = false): Asked<MetricAnswer> {
  return useAsked({ path: `metrics/${name}`, compare, more: by === null ? {} : { by } })
}

export function useSurvival(metric: string, by: string): Asked<SurvivalAnswer> {
  return useAsked({
    path: 'survival',
    more: { metric, by },
    csv_path: `metrics/${metric}`,
    without_csv: ['metric'],
  })
}

type RowsAnswer<Row> = Omit<TableAnswer, 'rows'> & { readonly rows: readonly Row[] }

export function useRows<Name extends keyof Rows>(table: Name): Asked<RowsAnswer<Rows[Name]>> {
  return useAsked<RowsAnswer<Rows[Name]>>({ path: table })
}
