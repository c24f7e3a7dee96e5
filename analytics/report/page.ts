import type { Text } from '../metrics/metric.ts'

export type Language = keyof Text

/** HTML that is safe to put into a page as it is. */
export interface Html {
  readonly html: string
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

export function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] as string)
}

type Part = string | number | Html | readonly Html[]

/** HTML with everything in it escaped that is no HTML already. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const told = parts.map((part) => {
    if (typeof part === 'string' || typeof part === 'number') return escaped(String(part))
    return 'html' in part ? part.html : part.map((one) => one.html).join('')
  })
  return { html: texts.map((text, i) => text + (told[i] ?? '')).join('') }
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2126; --soft: #59636d; --line: #d4dae0; --ground: #fff; --raised: #f5f7f9; --accent: #1f5fa8;
  --critical: #9e0038; --high: #c65a00; --medium: #8a6d00; --low: #2f7fe0; --info: #6a747d }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaee; --soft: #a3adb7; --line: #3a434c; --ground: #14181c; --raised: #1d2328; --accent: #6fb1ff;
  --critical: #ff5c8d; --high: #f28c28; --medium: #ffe968; --low: #5a9ff5; --info: #aeb6be } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 62rem; background: var(--ground); color: var(--ink);
  font: 15px/1.55 system-ui, "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif }
h1 { margin: 0 0 .25rem; font-size: 1.75rem; line-height: 1.25 } h2 { margin: 2.5rem 0 .5rem; font-size: 1.2rem } h3 { margin: 1.25rem 0 .25rem; font-size: 1rem } h2, h3 { break-after: avoid }
p { margin: .5rem 0 } .note, figcaption, th, .unit { color: var(--soft) } .note, figcaption { font-size: .86rem }
section { break-inside: auto } figure { margin: 1rem 0; break-inside: avoid } svg { display: block; width: 100%; height: auto }
svg text { fill: var(--soft); font-size: 11px } svg .axis { stroke: var(--line) } svg .strong { fill: var(--ink) }
.scroll { overflow-x: auto } table { width: 100%; border-collapse: collapse; margin: .75rem 0; font-size: .9rem }
th { text-align: left; font-weight: 600; border-bottom: 2px solid var(--line); vertical-align: bottom } th, td { padding: .3rem .6rem .3rem 0 }
td { border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: break-word } td:first-child { min-width: 7.5rem } tr { break-inside: avoid } thead { display: table-header-group }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums } .summary { background: var(--raised); padding: .75rem 1rem; border-left: 4px solid var(--accent); break-inside: avoid }
.summary ul { margin: .25rem 0; padding-left: 1.2rem } code { font-size: .86em }
@media print { :root { color-scheme: light; --ink: #000; --soft: #444; --line: #bbb; --ground: #fff; --raised: #fff; --accent: #1f5fa8;
  --critical: #9e0038; --high: #c65a00; --medium: #8a6d00; --low: #2f7fe0; --info: #6a747d }
  body { max-width: none; padding: 0; font-size: 10pt } .scroll { overflow: visible }
  table { font-size: 8.5pt } td:first-child { min-width: 5rem } .number { white-space: normal } h2 { margin-top: 1.5rem } }
@page { size: A4; margin: 16mm 14mm }`

const LANGUAGES: Readonly<Record<Language, string>> = { en: 'en', zh: 'zh-CN' }

/** A page that holds everything it needs: no script, nothing that is fetched. */
export function page(language: Language, title: string, body: readonly Html[]): string {
  const { html: inner } = html`<h1>${title}</h1>${body}`
  return `<!doctype html>
<html lang="${LANGUAGES[language]}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title><style>${STYLE}</style></head>
<body>${inner}</body></html>
`
}

export function section(title: string, ...body: readonly Html[]): Html {
  return html`<section><h2>${title}</h2>${body}</section>
`
}

export const note = (text: string): Html => html`<p class="note">${text}</p>`

/** A cell of a table; numbers stand to the right. */
export type Cell = string | Html | { readonly number: string }

export function table(
  head: readonly (string | { readonly number: string })[],
  rows: readonly (readonly Cell[])[],
): Html {
  const cell =
    (tag: 'th' | 'td') =>
    (one: Cell): Html => {
      if (typeof one === 'object' && 'number' in one)
        return { html: `<${tag} class="number">${escaped(one.number)}</${tag}>` }
      return { html: `<${tag}>${typeof one === 'string' ? escaped(one) : one.html}</${tag}>` }
    }
  const body = rows.map((row) => html`<tr>${row.map(cell('td'))}</tr>`)
  return html`<div class="scroll"><table><thead><tr>${head.map(cell('th'))}</tr></thead><tbody>${body}</tbody></table></div>`
}

/** A chart with the sentence that says what it shows. */
export function figure(chart: Html, caption: string): Html {
  return html`<figure>${chart}<figcaption>${caption}</figcaption></figure>`
}
