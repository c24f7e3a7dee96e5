import type { LogEntry, Position } from '../ports.ts'

/** Entries of one partition in memory: appended at the end, dropped at the beginning. */
export class Entries {
  bytes = 0
  private items: LogEntry[] = []
  /** Index of the first kept item; the places before it are cleared now and then. */
  private head = 0

  get firstPosition(): Position | null {
    return this.items[this.head]?.position ?? null
  }

  push(entry: LogEntry): void {
    this.items.push(entry)
    this.bytes += entry.value.length
  }

  /** Up to `entries_max` entries, and beyond the first one only while they stay below `bytes_max`. */
  from(position: Position, entries_max: number, bytes_max: number): LogEntry[] {
    const begin = this.indexOf(position)
    let end = begin
    let bytes = 0
    while (end < this.items.length && end - begin < entries_max) {
      bytes += this.items[end]?.value.length ?? 0
      if (end > begin && bytes > bytes_max) break
      end += 1
    }
    return this.items.slice(begin, end)
  }

  dropBefore(position: Position): void {
    this.dropWhile((entry) => entry.position < position)
  }

  dropToBytes(bytes_max: number): void {
    this.dropWhile(() => this.bytes > bytes_max)
  }

  private dropWhile(is_dropped: (entry: LogEntry) => boolean): void {
    for (
      let first = this.items[this.head];
      first !== undefined && is_dropped(first);
      first = this.items[this.head]
    ) {
      this.bytes -= first.value.length
      this.head += 1
    }
    if (this.head > 64 && this.head * 2 > this.items.length) {
      this.items = this.items.slice(this.head)
      this.head = 0
    }
  }

  /** Index of the first kept entry at or after the position. */
  private indexOf(position: Position): number {
    let low = this.head
    let high = this.items.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.items[middle]?.position ?? position) < position) low = middle + 1
      else high = middle
    }
    return low
  }
}
