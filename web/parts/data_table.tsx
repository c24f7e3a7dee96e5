import type { ReactNode } from 'react'

export interface Column<Row> {
  readonly title: string
  readonly of: (row: Row) => ReactNode
  readonly numeric?: boolean
}

interface DataTableProps<Row> {
  /** Names the table for whoever does not see what it stands below. */
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
}

/** A plain table. Where it is wider than the page it scrolls by itself, with the keyboard as well. */
export function DataTable<Row>({ label, columns, rows, keyOf }: DataTableProps<Row>) {
  return (
    <div className="data-table" role="region" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {columns.map(({ title, numeric }) => (
              <th key={title} scope="col" className={numeric ? 'numeric' : undefined}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(({ title, of, numeric }) => (
                <td key={title} className={numeric ? 'numeric number' : undefined}>
                  {of(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
