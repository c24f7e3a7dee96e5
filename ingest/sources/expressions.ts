import { compileExpression, ExpressionError, type Lookup, type Variables } from '../../schemas/expression.ts'
import { Unreadable } from './format.ts'

/** Reads one field; an error of its expression names it. Throws Unreadable. */
export type ExpressionReader = (variables: Variables) => unknown

export interface Language {
  readonly variables: readonly string[]
  readonly lookup: Lookup
}

/** Throws ExpressionError when the expression cannot be used. */
export function expressionReader(
  field: string,
  text: string,
  { variables, lookup }: Language,
): ExpressionReader {
  const expression = compileExpression(text, variables, lookup)
  return (given) => {
    try {
      return expression(given)
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error
      throw new Unreadable(error.code, `${field}: ${error.message}`)
    }
  }
}

export function readersOf(
  field: string,
  texts: Readonly<Record<string, string>>,
  how: Language,
): readonly (readonly [string, ExpressionReader])[] {
  return Object.entries(texts).map(([name, text]) => [name, expressionReader(`${field}.${name}`, text, how)])
}

export function valuesOf(
  fields: readonly (readonly [string, ExpressionReader])[],
  variables: Variables,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(fields.map(([name, read]) => [name, read(variables)]))
}

/** Throws Unreadable when it is neither true nor false. */
export function flagOf(field: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw new Unreadable(
    'expression-type',
    `${field}: expected true or false, it gave ${JSON.stringify(value)}`,
  )
}
