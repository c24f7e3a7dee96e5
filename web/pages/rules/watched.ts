/** Which detectors watch what, gathered from the series that they watch. Pure. */

/** As api/routes/series.ts gives it. */
export interface Series {
  readonly device: string
  readonly labels: Readonly<Record<string, string>>
  readonly detectors: readonly {
    readonly rule: string
    readonly detector: string
    readonly holds: readonly { readonly condition: string; readonly told: boolean }[]
  }[]
}

export interface Watched {
  readonly rule: string
  readonly detector: string
  readonly series: number
  readonly holds: number
  /** Of what holds: not told, because the machine stands. */
  readonly held_back: number
  readonly example: string
}

/** What watches most first. */
export function watchedOf(all: readonly Series[]): readonly Watched[] {
  const found = new Map<string, Watched>()
  for (const { device, labels, detectors } of all) {
    for (const { rule, detector, holds } of detectors) {
      const key = `${rule} ${detector}`
      const before = found.get(key)
      found.set(key, {
        rule,
        detector,
        series: (before?.series ?? 0) + 1,
        holds: (before?.holds ?? 0) + holds.length,
        held_back: (before?.held_back ?? 0) + holds.filter(({ told }) => !told).length,
        example: before?.example ?? [labels['metric'], device].filter(Boolean).join(' · '),
      })
    }
  }
  return [...found.values()].sort((a, b) => b.series - a.series || (a.rule < b.rule ? -1 : 1))
}
