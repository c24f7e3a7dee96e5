/** Messages as the specifications of the formats have them: every one gives readings and no reject. */
export interface SampleSeed {
  readonly body: Buffer
  readonly headers?: Readonly<Record<string, string>>
}

export const AT_MS = Date.UTC(2026, 10, 25, 12)
