import { catalogue, useTexts } from '../texts/catalogue.ts'
import { words } from '../texts/words.ts'
import { type CommandState, useCommands } from './commands.ts'

const texts = catalogue(
  {
    sending: 'sending…',
    unconfirmed: 'not confirmed',
    refused: (why: string) => `refused: ${why}`,
  },
  {
    sending: '发送中…',
    unconfirmed: '未得到确认',
    refused: (why) => `被拒绝：${why}`,
  },
)

/** How far a command on an incident is. */
export function CommandNote({ id, command }: { readonly id: string; readonly command: CommandState }) {
  const t = useTexts(texts)
  const w = useTexts(words)
  const commands = useCommands()
  switch (command.status) {
    case 'sending':
      return <span className="soft">{t.sending}</span>
    case 'unconfirmed':
      return (
        <span>
          {t.unconfirmed} ·{' '}
          <button type="button" className="as-link" onClick={() => void commands.retry(id)}>
            {w.retry}
          </button>
        </span>
      )
    case 'refused':
      return (
        <button
          type="button"
          className="as-link one-line"
          title={command.message}
          onClick={() => commands.dismiss(id)}
        >
          {t.refused(command.message)}
        </button>
      )
  }
}
