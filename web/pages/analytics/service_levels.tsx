import { DataTable } from '../../parts/data_table.tsx'
import { setQuery } from '../../router/location.ts'
import { useTexts } from '../../texts/catalogue.ts'
import { useRows, useView } from './ask.ts'
import { useFormats } from './format.ts'
import { Panel } from './panel.tsx'
import type { Level } from './rows.ts'
import { texts } from './texts.ts'
import { CLOCKS } from './view.ts'

interface Service {
  readonly name: string
  readonly met: number
  readonly due: number
  readonly months: ReadonlyMap<string, Level>
}

const SERVICES_SHOWN = 12

/** Services with the most that came late first. */
function servicesOf(levels: readonly Level[]): readonly Service[] {
  const groups = Map.groupBy(levels, ({ service }) => service)
  return [...groups]
    .map(([name, own]) => ({
      name,
      met: own.reduce((sum, { met }) => sum + met, 0),
      due: own.reduce((sum, { met, breached }) => sum + met + breached, 0),
      months: new Map(own.map((level) => [level.month, level])),
    }))
    .sort((a, b) => b.due - b.met - (a.due - a.met) || (a.name < b.name ? -1 : 1))
}

/** What share came in time, by service and month. */
export function ServiceLevels() {
  const t = useTexts(texts)
  const { clock } = useView()
  const { count, share } = useFormats()
  const asked = useRows('sla')
  const levels = (asked.answer?.rows ?? []).filter((level) => level.clock === clock)
  const services = servicesOf(levels)
  const [met, due] = [
    services.reduce((sum, one) => sum + one.met, 0),
    services.reduce((sum, one) => sum + one.due, 0),
  ]
  return (
    <Panel
      name="service-levels"
      title={t['service-levels']}
      wide
      asked={asked}
      choices={<ClockChoice />}
      sentence={() =>
        due === 0
          ? t.levels_none
          : t.levels_sentence(count(met), count(due), share(met / due), services[0]?.name || t.unnamed)
      }
      chart={() => (
        <Matrix services={services} months={[...new Set(levels.map(({ month }) => month))].sort()} />
      )}
      table={() => (
        <DataTable
          label={t['service-levels']}
          rows={levels}
          keyOf={({ service, month }) => `${service} ${month}`}
          columns={[
            { title: t.service, of: ({ service }) => service || t.unnamed },
            { title: t.month, of: ({ month }) => month },
            { title: t.met, numeric: true, of: (level) => count(level.met) },
            { title: t.breached, numeric: true, of: (level) => count(level.breached) },
            { title: t.not_due, numeric: true, of: (level) => count(level.not_due) },
            {
              title: t.attainment,
              numeric: true,
              of: ({ attainment }) => (attainment === null ? '–' : share(attainment)),
            },
          ]}
        />
      )}
      hint={t.levels_hint}
    />
  )
}

function ClockChoice() {
  const t = useTexts(texts)
  const { clock } = useView()
  return (
    <div className="panel-choices">
      <select
        aria-label={t.clock}
        value={clock}
        onChange={(event) => setQuery({ clock: event.target.value })}
      >
        {CLOCKS.map((one) => (
          <option key={one} value={one}>
            {t[`clock_${one}`]}
          </option>
        ))}
      </select>
    </div>
  )
}

function Matrix({
  services,
  months,
}: {
  readonly services: readonly Service[]
  readonly months: readonly string[]
}) {
  const t = useTexts(texts)
  const shown = services.slice(0, SERVICES_SHOWN)
  return (
    <>
      <DataTable
        label={t['service-levels']}
        rows={shown}
        keyOf={({ name }) => name}
        columns={[
          { title: t.service, of: ({ name }) => name || t.unnamed },
          ...months.map((month) => ({
            title: month,
            numeric: true,
            of: (service: Service) => <Cell level={service.months.get(month)} />,
          })),
        ]}
      />
      {services.length > shown.length && <p className="hint">{t.others(services.length - shown.length)}</p>}
    </>
  )
}

function Cell({ level }: { readonly level: Level | undefined }) {
  const t = useTexts(texts)
  const { count, share } = useFormats()
  if (!level || level.attainment === null) return <span className="soft">–</span>
  return (
    <span className="level">
      <span>{share(level.attainment)}</span>
      <span className="soft">{t.met_of(count(level.met), count(level.met + level.breached))}</span>
    </span>
  )
}
