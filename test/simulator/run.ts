import { type Defect, NO_DEFECT } from './defects.ts'
import { Events } from './events.ts'
import { checkRest, unfinished } from './rest.ts'
import { scenarioOf } from './scenario.ts'
import { Simulation } from './simulation.ts'
import { CALM, START_MS, type Violation, World } from './world.ts'

/** Bounds of the calm, in virtual time and in steps of the scheduler. */
const CALM_MAX_MS = 900_000
const STEPS_MAX = 60_000
const LOOK_MS = 1_000

export interface Run {
  readonly violation: Violation | null
  readonly steps: number
  readonly world: World
}

/** Plays one seed: a storm with faults, then a calm in which everything must come to rest as the reference fold says. */
export async function run(seed: number, defect: Defect = NO_DEFECT): Promise<Run> {
  const drawn = scenarioOf(seed, defect.faults)
  const scenario = { ...drawn, with_history: drawn.with_history || defect.of_history === true }
  const world = new World(seed, scenario.rates)
  const simulation = new Simulation(world, scenario, defect)
  const events = new Events(simulation)
  simulation.open()
  for (const { at_ms, what } of scenario.faults) world.scheduler.after(at_ms, () => void events.strike(what))
  for (const { at_ms, what } of scenario.operations) world.scheduler.after(at_ms, () => events.operate(what))
  let looked_ms = START_MS + scenario.storm_ms + scenario.calm_ms
  world.scheduler.after(scenario.storm_ms, () => calmDown(simulation))
  while (world.violation === null && (await world.scheduler.step())) {
    if (world.now_ms < looked_ms) continue
    looked_ms = world.now_ms + LOOK_MS
    const open = await unfinished(simulation, events)
    if (open === null) {
      await checkRest(simulation)
      break
    }
    if (world.now_ms > START_MS + scenario.storm_ms + CALM_MAX_MS || world.scheduler.steps > STEPS_MAX)
      world.violate('liveness: everything comes to rest', open)
  }
  for (const leftover of world.leftovers) leftover()
  return { violation: world.violation, steps: world.scheduler.steps, world }
}

function calmDown(simulation: Simulation): void {
  const { world, tracker, hook, running } = simulation
  world.note('calm')
  simulation.storming = false
  world.rates = CALM
  world.down.clear()
  simulation.history.refuses = () => false
  tracker.faults = hook.faults = 0
  for (const process of running) if (process) process.host.answers_left = null
}
