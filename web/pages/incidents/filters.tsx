import { useEffect, useState } from 'react'
import { useLiveIncidents } from '../../live/store.ts'
import { setQuery, useLocation } from '../../router/location.ts'
import { useTexts } from '../../texts/catalogue.ts'
import { words } from '../../texts/words.ts'
import { texts } from './texts.ts'
import { SORTS, STATES } from './view.ts'

const TYPING_MS = 200
const OFFERED_MAX = 20

/** Filters and order; the address holds them. */
export function Filters() {
  const t = useTexts(texts)
  const w = useTexts(words)
  const { query } = useLocation()
  const { scopes, assignees } = useOffered()
  return (
    <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <TextFilter />
      <Choice
        label={w.state}
        name="state"
        items={[
          ['', t.state_unresolved],
          ...STATES.map((state): Item => [state, w[state]]),
          ['all', t.state_all],
        ]}
      />
      {(scopes.length > 1 || query.has('scope')) && (
        <Choice
          label={w.scope}
          name="scope"
          items={[['', t.all_scopes], ...scopes.map((one): Item => [one, one])]}
        />
      )}
      {(assignees.length > 0 || query.has('assignee')) && (
        <Choice
          label={w.assignee}
          name="assignee"
          items={[['', t.anybody], ...assignees.map((one): Item => [one, one])]}
        />
      )}
      <Choice
        label={t.sort}
        name="sort"
        items={SORTS.map((sort): Item => [sort === 'attention' ? '' : sort, t[`sort_${sort}`]])}
      />
    </form>
  )
}

type Item = readonly [value: string, name: string]

interface ChoiceProps {
  readonly label: string
  readonly name: string
  readonly items: readonly Item[]
}

function Choice({ label, name, items }: ChoiceProps) {
  const { query } = useLocation()
  const value = query.get(name) ?? ''
  const known = items.some(([item]) => item === value)
  return (
    <select
      aria-label={label}
      title={label}
      value={value}
      onChange={(event) => setQuery({ [name]: event.target.value })}
    >
      {items.map(([item, shown]) => (
        <option key={item} value={item}>
          {shown}
        </option>
      ))}
      {!known && <option value={value}>{value}</option>}
    </select>
  )
}

/** Written to the address once typing pauses. */
function TextFilter() {
  const t = useTexts(texts)
  const { query } = useLocation()
  const asked = query.get('q') ?? ''
  const [draft, setDraft] = useState({ asked, text: asked })
  const text = draft.asked === asked ? draft.text : asked
  useEffect(() => {
    if (text === asked) return
    const later = setTimeout(() => setQuery({ q: text }, { replace: true }), TYPING_MS)
    return () => clearTimeout(later)
  }, [text, asked])
  return (
    <input
      id="filter"
      type="search"
      aria-label={t.filter}
      aria-keyshortcuts="/"
      placeholder={t.filter_placeholder}
      value={text}
      onChange={(event) => setDraft({ asked, text: event.target.value })}
    />
  )
}

function mostFrequent(counts: ReadonlyMap<string, number>): readonly string[] {
  return [...counts]
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .slice(0, OFFERED_MAX)
    .map(([name]) => name)
}

function useOffered(): { readonly scopes: readonly string[]; readonly assignees: readonly string[] } {
  const incidents = useLiveIncidents()
  const scopes = new Map<string, number>()
  const assignees = new Map<string, number>()
  for (const { scope, assignee } of incidents.values()) {
    scopes.set(scope, (scopes.get(scope) ?? 0) + 1)
    if (assignee !== null) assignees.set(assignee, (assignees.get(assignee) ?? 0) + 1)
  }
  return { scopes: mostFrequent(scopes), assignees: mostFrequent(assignees) }
}
