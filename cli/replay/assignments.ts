import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import type { Assignment } from './run.ts'

/** Writes `assignments.jsonl`: one line for each line of the recording, in order; what waits for others holds back those behind it. */
export class AssignmentsFile {
  private readonly stream
  private queue: { readonly line: number; readonly assigned: Assignment | null }[] = []
  private written = 0

  constructor(path: string) {
    this.stream = createWriteStream(path)
  }

  /** Null stands for a line that cannot be read. */
  async add(line: number, assigned: Assignment | null): Promise<void> {
    this.queue.push({ line, assigned })
    await this.writeSettled()
  }

  /** All is settled. */
  async close(): Promise<void> {
    await this.writeSettled()
    this.stream.end()
    await once(this.stream, 'finish')
  }

  private async writeSettled(): Promise<void> {
    for (
      let head = this.queue[this.written];
      head && !head.assigned?.waits;
      head = this.queue[++this.written]
    ) {
      const { line, assigned } = head
      const value = {
        line,
        incident: assigned?.incident_id ?? null,
        at: assigned === null ? null : assigned.at_ms / 1_000,
        reason: assigned?.reason ?? 'the line cannot be read',
      }
      if (!this.stream.write(`${JSON.stringify(value)}\n`)) await once(this.stream, 'drain')
    }
    if (this.written < this.queue.length / 2) return
    this.queue = this.queue.slice(this.written)
    this.written = 0
  }
}
