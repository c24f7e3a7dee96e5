import { figureText } from '../estimates/words.ts'
import type { Text } from '../metrics/metric.ts'
import { dateTime, NONE, valueText } from './cells.ts'
import { type Cell, type Html, type Language, note, section, table } from './page.ts'
import type { TableRow } from './source.ts'

const LISTED_MAX = 50

export type Value = TableRow[string] | undefined
/** Cells and lists in one language, whose words a report gives; of heads the words stand between bars. */
export class Lists<Key extends string> {
  private readonly texts: Readonly<Record<Key | 'none', Text>>
  private readonly language: Language
  private readonly tz: string

  constructor(texts: Readonly<Record<Key | 'none', Text>>, language: Language, tz: string) {
    this.texts = texts
    this.language = language
    this.tz = tz
  }

  say(key: Key | 'none'): string {
    return this.texts[key][this.language]
  }

  text(value: Value): string {
    return String(value ?? '') || NONE
  }

  count(value: Value): Cell {
    return { number: String(value) }
  }

  share(value: Value): Cell {
    return { number: valueText('share', Number(value), this.language) }
  }

  duration(value: Value): Cell {
    return { number: value === null ? NONE : figureText('ms', Number(value))[this.language] }
  }

  time(value: Value): string {
    return dateTime(Number(value), this.tz, this.language)
  }

  /** A section with a list whose head has `texts` columns of text and then numbers; of many rows the first. */
  section(
    what: Key,
    head: Key,
    texts: number,
    rows: readonly (readonly Cell[])[],
    ...notes: readonly Html[]
  ): Html {
    if (rows.length === 0) return section(this.say(what), note(this.say('none')))
    const heads = this.say(head)
      .split('|')
      .map((text, i) => (i < texts ? text : { number: text }))
    return section(this.say(what), table(heads, rows.slice(0, LISTED_MAX)), ...notes)
  }
}
