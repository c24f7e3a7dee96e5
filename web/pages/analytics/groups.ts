import type { Severity } from '../../../schemas/alert.ts'
import { SEVERITIES } from '../../parts/severity.tsx'
import { useTexts } from '../../texts/catalogue.ts'
import { words } from '../../texts/words.ts'
import { texts } from './texts.ts'
import type { Group } from './view.ts'

/** The severity that a group is about; null when groups are about something else. */
export function severityOf(by: Readonly<Record<string, string>>): Severity | null {
  return SEVERITIES.find((severity) => severity === by['severity']) ?? null
}

/** Severities in their order, others as they come (the largest first). */
export function inOrder<Item extends { readonly by: Readonly<Record<string, string>> }>(
  items: readonly Item[],
): readonly Item[] {
  const rank = ({ by }: Item) => {
    const severity = severityOf(by)
    return severity === null ? 0 : SEVERITIES.indexOf(severity)
  }
  return items.toSorted((a, b) => rank(a) - rank(b))
}

export function useGroupName(): (by: Readonly<Record<string, string>>, group: Group) => string {
  const t = useTexts(texts)
  const w = useTexts(words)
  return (by, group) => {
    const severity = severityOf(by)
    if (group === 'severity' && severity !== null) return w[severity]
    const name = by[group] ?? ''
    return name === '' ? t.unnamed : name
  }
}
