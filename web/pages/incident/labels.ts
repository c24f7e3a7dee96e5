import type { Member } from '../../../schemas/incident.ts'

/** Labels that all of these alerts have with the same value; none when there is only one alert to compare. */
export function commonLabels(members: readonly Pick<Member, 'labels'>[]): Readonly<Record<string, string>> {
  const [first, ...others] = members
  if (!first || others.length === 0) return {}
  return Object.fromEntries(
    Object.entries(first.labels).filter(([name, value]) =>
      others.every(({ labels }) => labels[name] === value),
    ),
  )
}
