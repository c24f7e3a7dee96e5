import type { Matcher } from '../../../schemas/matcher.ts'
import { matcherText } from './matchers.ts'

export function MatcherList({ matchers }: { readonly matchers: readonly Matcher[] }) {
  return (
    <ul className="matchers">
      {matchers.map((matcher) => (
        <li key={matcherText(matcher)}>
          <code>{matcherText(matcher)}</code>
        </li>
      ))}
    </ul>
  )
}
