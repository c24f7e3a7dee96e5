import type { Run } from './run.ts'

const SHOWN = 40

/** The one command that plays a seed again. */
function commandOf(seed: number, defect: string | undefined): string {
  return `npm run simulate -- --seed ${seed}${defect === undefined ? '' : ` --defect ${defect}`}`
}

/** What did not hold, what happened before, and how to see it again. */
export function failureText(
  seed: number,
  defect: string | undefined,
  { violation, world, steps }: Run,
): string {
  if (violation === null) return `seed ${seed} holds after ${steps} steps`
  const history = world.lines(-SHOWN).map((line) => (line.length > 240 ? `${line.slice(0, 240)}…` : line))
  return [
    `seed ${seed} breaks invariant ${violation.check}`,
    `  ${violation.text}`,
    `the last of ${world.history.length} events:`,
    ...history,
    `again: ${commandOf(seed, defect)}`,
  ].join('\n')
}
