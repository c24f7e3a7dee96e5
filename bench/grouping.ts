import { BASELINES } from './grouping/baselines.ts'
import { ABLATIONS } from './grouping/ablations.ts'
import { measureCost } from './grouping/cost.ts'
import { play, type Played, recordedOf, type Setting } from './grouping/play.ts'
import { readRecordings, type Recording } from './grouping/recordings.ts'
import { likeness, type OfIncident, type Score, score, scoreCauses } from './grouping/score.ts'
import { spreadRows } from './grouping/splits.ts'
import { type Variant, variantsOf } from './grouping/variants.ts'
import type { BenchOptions } from './options.ts'
import { type Figure, quantile, type Report, rounded, type Table } from './report.ts'

type Row = Record<string, Figure>
type Rows = Record<string, Row>

const AS_IT_IS: Setting = { name: 'defaults' }

/**
 * How well the fold groups labelled recordings, as they are and changed in ways that the world changes them, beside what is usual
 * elsewhere; and what an alert costs in a large scope and under streams that mean harm. Without `--data` the cost alone.
 */
export async function run(options: BenchOptions): Promise<Report> {
  const recordings = options.data === undefined ? [] : readRecordings(options.data)
  const found = recordings.map((recording) => measure(recording, options.ablate))
  const cost = measureCost()
  return {
    name: 'grouping',
    parameters: {
      recordings: recordings.map(({ name }) => name).join(', '),
      alerts: recordings.reduce((sum, { lines }) => sum + lines.length, 0),
      ablate: String(options.ablate),
    },
    figures: { ...Object.assign({}, ...found.map(({ figures }) => figures)), ...cost.figures },
    tables: [...found.flatMap(({ tables }) => tables), cost.table],
  }
}

/** Everything about one recording. */
class Measured {
  readonly quality: Rows = {}
  readonly baselines: Rows = {}
  readonly ablated: Rows = {}
  readonly scored: Record<string, ReadonlyMap<string, OfIncident>[]> = { plain: [], overlay: [] }
  plain: Played | null = null
}

function measure(recording: Recording, ablate: boolean): { figures: Row; tables: Table[] } {
  const measured = new Measured()
  for (const variant of variantsOf(recording)) {
    console.error(`${recording.name}: ${variant.name}, ${variant.lines.length} alerts`)
    measureVariant(recording, variant, measured, ablate)
  }
  const { quality, baselines, ablated, scored } = measured
  const { parts, spread } = spreadRows(recording, scored)
  const { name } = recording
  return {
    figures: headlines(name, quality, baselines),
    tables: [
      { title: `${name}: quality`, rows: quality },
      { title: `${name}: macro B³ F1 beside the best of what is usual`, rows: baselines },
      { title: `${name}: F1 of parts of the incidents (overlay: of all three)`, rows: parts },
      { title: `${name}: spread of F1 over these parts`, rows: spread },
      ...(ablate ? [{ title: `${name}: F1, and what leaving something out adds to it`, rows: ablated }] : []),
    ],
  }
}

function measureVariant(recording: Recording, variant: Variant, measured: Measured, ablate: boolean): void {
  const { name, lines, topology } = variant
  const alerts = recordedOf(lines)
  const incidents = lines.map(({ incident }) => incident)
  const played = play(alerts, incidents, topology, AS_IT_IS)
  const own = score(incidents, played.groups)
  if (name === 'plain') measured.plain = played
  const kind = name.split(' ')[0] ?? name
  measured.scored[kind]?.push(own.of_incident)
  measured.quality[name] = qualityRow(recording, variant, played, own, measured.plain)
  const heard = alerts.flatMap((recorded) => (recorded === null ? [] : [recorded.alert]))
  const labels = incidents.filter((_, i) => alerts[i] !== null)
  const others = Object.entries(BASELINES).map(
    ([baseline, groups]) => [baseline, score(labels, groups(heard, topology)).f1] as const,
  )
  measured.baselines[name] = baselineRow(own.f1, others)
  if (!ablate) return
  const row: Row = { f1: rounded(own.f1, 4) }
  for (const setting of ABLATIONS)
    row[setting.name] = rounded(
      score(incidents, play(alerts, incidents, topology, setting).groups).f1 - own.f1,
      4,
    )
  measured.ablated[name] = row
}

function qualityRow(
  { faults }: Recording,
  { originals, lines }: Variant,
  played: Played,
  own: Score,
  plain: Played | null,
): Row {
  const rate = (value: number) => rounded(value, 4)
  const alike =
    plain && originals
      ? likeness(
          originals.map((i) => plain.groups[i] ?? null),
          played.groups,
        )
      : null
  const causes = played.causes && faults.size > 0 ? scoreCauses(own, faults, played.causes) : null
  const times = [...played.fold_us]
  return {
    alerts: lines.length,
    incidents: own.incidents,
    f1: rate(own.f1),
    precision: rate(own.precision),
    recall: rate(own.recall),
    match: rate(own.match),
    groups: own.groups,
    groups_per_incident: rate(own.groups_per_incident),
    compression: rate(own.compression),
    contamination: rate(own.contamination),
    moved: rate(played.moved / lines.length),
    moved_astray: rate(played.moved_astray / lines.length),
    pairs_kept: alike && rate(alike.kept),
    pairs_new: alike && rate(alike.new),
    ac_at_1: causes && rate(causes.at_1),
    ac_at_3: causes && rate(causes.at_3),
    mrr: causes && rate(causes.mrr),
    fold_p50_us: rounded(quantile(times, 0.5), 1),
    fold_p99_us: rounded(quantile(times, 0.99), 1),
  }
}

function baselineRow(own: number, others: readonly (readonly [string, number])[]): Row {
  const [best, best_f1] = others.reduce((a, b) => (b[1] > a[1] ? b : a))
  return {
    tocsin: rounded(own, 4),
    ...Object.fromEntries(others.map(([name, f1]) => [name, rounded(f1, 4)])),
    best,
    ratio: rounded(own / best_f1, 3),
  }
}

/** The least of each kind of variant, and how often something usual is better. */
function headlines(name: string, quality: Rows, baselines: Rows): Row {
  const least = (kind: string, column = 'f1') => {
    const values = Object.entries(quality)
      .filter(([variant]) => variant.startsWith(kind))
      .map(([, row]) => row[column])
      .filter((value) => typeof value === 'number')
    return values.length === 0 ? null : Math.min(...values)
  }
  const ratios = Object.values(baselines).map(({ ratio }) => Number(ratio))
  return {
    [`${name}_plain_f1`]: least('plain'),
    [`${name}_overlay_min_f1`]: least('overlay'),
    [`${name}_noise_4_f1`]: least('noise 4'),
    [`${name}_new_noise_4_f1`]: least('new noise 4'),
    [`${name}_plain_ac_at_3`]: least('plain', 'ac_at_3'),
    [`${name}_variants`]: ratios.length,
    [`${name}_variants_below_best_baseline`]: ratios.filter((ratio) => ratio < 1).length,
    [`${name}_least_ratio_to_best_baseline`]: Math.min(...ratios),
  }
}
