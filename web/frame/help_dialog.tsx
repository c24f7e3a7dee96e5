import { PAGES } from '../pages/pages.ts'
import { Dialog } from '../parts/dialog.tsx'
import { useLanguage, useTexts } from '../texts/catalogue.ts'
import { texts } from './texts.ts'

type Row = readonly [keys: string, meaning: string]

/** Every shortcut there is. */
export function HelpDialog({ onClose }: { readonly onClose: () => void }) {
  const t = useTexts(texts)
  const language = useLanguage()
  const everywhere: Row[] = [
    ...PAGES.map((page): Row => [`g ${page.key}`, t.key_page(page.texts[language].name)]),
    ['g ,', t.settings],
    ['?', t.key_help],
  ]
  const list: Row[] = [
    ['/', t.key_filter],
    ['j', t.key_down],
    ['k', t.key_up],
    ['Enter', t.key_open],
    ['Space', t.key_peek],
    ['x', t.key_select],
    ['*', t.key_select_all],
    ['.', t.key_refresh],
    ['Esc', t.key_escape],
  ]
  const incident: Row[] = [
    ['a', t.key_acknowledge],
    ['i', t.key_assign],
    ['r', t.key_resolve],
    ['s', t.key_silence],
    ['m', t.key_merge],
    ['c', t.key_comment],
    ['[ ]', t.key_siblings],
  ]
  return (
    <Dialog title={t.help} onClose={onClose} wide>
      <div className="shortcuts">
        <Shortcuts title={t.keys_everywhere} rows={everywhere} />
        <Shortcuts title={t.keys_list} rows={list} />
        <Shortcuts title={t.keys_incident} rows={incident} />
      </div>
    </Dialog>
  )
}

function Shortcuts({ title, rows }: { readonly title: string; readonly rows: readonly Row[] }) {
  return (
    <section>
      <h3>{title}</h3>
      <dl>
        {rows.map(([keys, meaning]) => (
          <div key={keys}>
            <dt>
              {keys.split(' ').map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
