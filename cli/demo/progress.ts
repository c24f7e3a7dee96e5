/** How far the story is, on standard error: one line that changes at a terminal, a line for each event otherwise. */
export class Progress {
  private readonly terminal: boolean
  private readonly duration_ms: number

  constructor(duration_ms: number) {
    this.duration_ms = duration_ms
    this.terminal = process.stderr.isTTY
  }

  show(at_ms: number, sent: number, firing: number, told: string | null): void {
    const figures = `${clock(at_ms)} of ${clock(this.duration_ms)}  firing: ${firing}, notifications sent: ${sent}`
    if (told !== null) this.line(`${clock(at_ms)}  ${told}${this.terminal ? '' : `  (firing: ${firing})`}`)
    if (this.terminal) process.stderr.write(`\r\u{1b}[K${figures}`)
  }

  /** A line that stays. */
  line(text: string): void {
    process.stderr.write(this.terminal ? `\r\u{1b}[K${text}\n` : `${text}\n`)
  }

  end(): void {
    if (this.terminal) process.stderr.write('\r\u{1b}[K')
  }
}

function clock(ms: number): string {
  const seconds = Math.round(ms / 1_000)
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`
}
