/** Decides whether a source partition is to be halted because nearly everything of it is rejected. */

const MESSAGES_MIN = 1_000
const REJECTED_SHARE_MAX = 0.95

export interface Tally {
  readonly messages: number
  readonly rejected: number
}

/** Counts the last one to two thousand messages of one source partition. */
export class RejectWindow {
  private seen: Tally = { messages: 0, rejected: 0 }

  /** Would the window, with `next` in it, be nearly all rejects? It is not counted yet. */
  isDrain(next: Tally): boolean {
    const { messages, rejected } = this.sum(next)
    return messages >= MESSAGES_MIN && rejected > messages * REJECTED_SHARE_MAX
  }

  count(next: Tally): void {
    const { messages, rejected } = this.sum(next)
    const half = messages >= 2 * MESSAGES_MIN ? 2 : 1
    this.seen = { messages: messages / half, rejected: rejected / half }
  }

  private sum(next: Tally): Tally {
    return { messages: this.seen.messages + next.messages, rejected: this.seen.rejected + next.rejected }
  }
}
