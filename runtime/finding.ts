/** What one check of the doctor came to. */
export interface Finding {
  readonly level: 'ok' | 'warn' | 'fail'
  readonly part: string
  readonly detail: string
  readonly remedy: string
}

export const ok = (part: string, detail: string): Finding => ({ level: 'ok', part, detail, remedy: '' })
export const warn = (part: string, detail: string, remedy: string): Finding => ({
  level: 'warn',
  part,
  detail,
  remedy,
})
export const fail = (part: string, detail: string, remedy: string): Finding => ({
  level: 'fail',
  part,
  detail,
  remedy,
})
