/**
 * A small reader of TypeScript: enough of its lexical grammar (comments, strings, templates, regular expressions)
 * to tell code from text, and to list what a module names as another module.
 */
export type Reference = { specifier: string; line: number }
export type Scan = {
  references: Reference[]
  /** The source without comments; each string is `"n"`, each regular expression is `/r/`. Lines are kept. */
  code: string
}

/** Stands for an import whose name is computed; no border allows it. */
export const COMPUTED = '<computed>'

const WORDS_BEFORE_REGEX = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'do',
  'else',
  'void',
  'delete',
  'await',
  'yield',
  'throw',
  'new',
])

/** A slash begins a regular expression where a value cannot have just ended. */
function regexMayStart(code: string): boolean {
  const before = code.trimEnd()
  const word = /[\w$]+$/.exec(before)?.[0]
  if (word !== undefined) return WORDS_BEFORE_REGEX.has(word)
  return before === '' || !/[)\]}"'`/<]$/.test(before)
}

function newlines(text: string): string {
  return '\n'.repeat(text.split('\n').length - 1)
}

class Lexer {
  code = ''
  readonly strings: string[] = []
  private at = 0
  private readonly source: string

  constructor(source: string) {
    this.source = source
  }

  /** Reads to the end, or to the brace that closes a template's `${`. */
  readCode(in_template: boolean): void {
    let depth = 0
    while (this.at < this.source.length) {
      const char = this.source.charAt(this.at)
      if (this.skipComment() || this.readLiteral(char)) continue
      if (char === '{') depth += 1
      if (char === '}') {
        if (in_template && depth === 0) return
        depth -= 1
      }
      this.code += char
      this.at += 1
    }
  }

  private skipComment(): boolean {
    const start = this.at
    if (this.source.startsWith('//', start) || (start === 0 && this.source.startsWith('#!'))) {
      const end = this.source.indexOf('\n', start)
      this.at = end === -1 ? this.source.length : end
      return true
    }
    if (!this.source.startsWith('/*', start)) return false
    const end = this.source.indexOf('*/', start + 2)
    this.at = end === -1 ? this.source.length : end + 2
    this.code += ` ${newlines(this.source.slice(start, this.at))}`
    return true
  }

  private readLiteral(char: string): boolean {
    if (char === "'" || char === '"') this.readString(char)
    else if (char === '`') this.readTemplate()
    else if (char === '/' && regexMayStart(this.code)) this.skipRegex()
    else return false
    return true
  }

  private readString(quote: string): void {
    const start = this.at + 1
    this.at = start
    while (this.at < this.source.length && this.source.charAt(this.at) !== quote) {
      this.at += this.source.charAt(this.at) === '\\' ? 2 : 1
    }
    this.pushString(this.source.slice(start, this.at))
    this.at += 1
  }

  private readTemplate(): void {
    let start = this.at + 1
    let parts = 0
    this.at = start
    while (this.at < this.source.length && this.source.charAt(this.at) !== '`') {
      if (this.source.startsWith('${', this.at)) {
        this.code += `${newlines(this.source.slice(start, this.at))}(`
        this.at += 2
        this.readCode(true)
        this.code += ')+'
        parts += 1
        this.at += 1
        start = this.at
      } else {
        this.at += this.source.charAt(this.at) === '\\' ? 2 : 1
      }
    }
    const tail = this.source.slice(start, this.at)
    if (parts === 0) this.pushString(tail)
    else this.code += '""'
    this.code += newlines(tail)
    this.at += 1
  }

  private skipRegex(): void {
    let in_class = false
    this.at += 1
    while (this.at < this.source.length) {
      const char = this.source.charAt(this.at)
      if (char === '/' && !in_class) break
      if (char === '[') in_class = true
      if (char === ']') in_class = false
      this.at += char === '\\' ? 2 : 1
    }
    this.at += 1
    this.code += '/r/'
  }

  private pushString(text: string): void {
    this.code += `"${this.strings.length}"`
    this.strings.push(text)
  }
}

const REFERENCES = [
  /\bfrom\s*"(\d+)"/g,
  /\bimport\s*"(\d+)"/g,
  /(?<![.\w$])(?:import|require)\s*\(\s*(?:"(\d+)"\s*[,)])?/g,
  /\bnew URL\(\s*"(\d+)"\s*,\s*import\.meta\.url/g,
  /\bimport\.meta\.resolve\(\s*(?:"(\d+)"\s*\))?/g,
]

/** Every module that the source names: imports (of types too), re-exports, `import()`, `require()`, and URLs beside it. */
export function scan(source: string): Scan {
  const lexer = new Lexer(source)
  lexer.readCode(false)
  const { code, strings } = lexer
  const references = REFERENCES.flatMap((pattern) => [...code.matchAll(pattern)]).map((match) => ({
    specifier: match[1] === undefined ? COMPUTED : (strings[Number(match[1])] ?? COMPUTED),
    line: code.slice(0, match.index).split('\n').length,
  }))
  return { references, code }
}
