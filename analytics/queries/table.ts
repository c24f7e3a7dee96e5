import type { ClickHouseClient } from '@clickhouse/client'
import type { TableAnswer } from '../../schemas/analytics_answer.ts'
import type { AnalyticsQuestion } from '../../schemas/analytics_question.ts'
import type { Table } from '../tables/table.ts'
import { type Query, rowsOf } from './ask.ts'
import { queryOf } from './build.ts'

export function tableQuery(table: Table, question: AnalyticsQuestion): Query {
  return queryOf(question, question.period, table.sql)
}

/** Rows behind a panel. Throws Reject `history-limit`, and what the client throws. */
export async function askTable(
  client: ClickHouseClient,
  table: Table,
  question: AnalyticsQuestion,
): Promise<TableAnswer> {
  const rows = await rowsOf<Record<string, unknown>>(client, tableQuery(table, question))
  const { period, as_of_ms, tz } = question
  const { name, columns, rows_max } = table
  return { table: name, period, as_of_ms, tz, columns: [...columns], rows, complete: rows.length < rows_max }
}
