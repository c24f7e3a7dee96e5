import { useNotify } from '../frame/notices.tsx'
import { type CommandState, type IncidentCommand, useCommands } from '../live/commands.ts'
import { useLive } from '../live/store.ts'
import { useTexts } from '../texts/catalogue.ts'
import { texts } from './texts.ts'

type Kind = 'acknowledge' | 'assign' | 'mitigate' | 'resolve' | 'review' | 'reopen' | 'merge' | 'comment'
type Said = Extract<IncidentCommand, { kind: Kind }>

/** Commands under way at once in a bulk action. */
const AT_ONCE = 6

interface Result {
  readonly id: string
  readonly state: CommandState | null
}

/**
 * Asks for the same of several incidents, tells what came of it item by item, and offers to take back what can be taken
 * back: resolving by reopening, assigning by assigning as before.
 */
export function useAct(): (ids: readonly string[], command: Said) => Promise<void> {
  const commands = useCommands()
  const live = useLive()
  const notify = useNotify()
  const t = useTexts(texts)

  const sendAll = async (
    ids: readonly string[],
    of: (id: string) => IncidentCommand,
  ): Promise<readonly Result[]> => {
    const waiting = [...ids]
    const results: Result[] = []
    const work = async () => {
      for (let id = waiting.shift(); id !== undefined; id = waiting.shift())
        results.push({ id, state: await commands.send(id, of(id)) })
    }
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, ids.length) }, work))
    return results
  }

  const because = (state: CommandState): string =>
    state.status === 'refused' ? state.message : t.not_confirmed

  return async (ids, command) => {
    const before = new Map(ids.map((id) => [id, live.get(id)?.assignee ?? null]))
    const results = await sendAll(ids, () => command)
    const done = results.filter(({ state }) => state === null).map(({ id }) => id)
    const failed = results.flatMap(({ id, state }) =>
      state === null ? [] : [`${live.get(id)?.title ?? id}: ${because(state)}`],
    )
    const inverse = (id: string): IncidentCommand | null => {
      if (command.kind === 'resolve') return { kind: 'reopen' }
      if (command.kind === 'assign') return { kind: 'assign', assignee: before.get(id) ?? null }
      return null
    }
    const undoable = done.length > 0 && inverse(done[0] ?? '') !== null
    notify({
      text: [
        ...(done.length > 0 ? [t[`done_${command.kind}`](done.length)] : []),
        ...(failed.length > 0 ? [t.failed(failed.length)] : []),
      ].join(' '),
      details: failed,
      ...(undoable && {
        undo: () => void sendAll(done, (id) => inverse(id) ?? { kind: 'reopen' }),
      }),
    })
  }
}
