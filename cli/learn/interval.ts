/** Of the normal distribution: 95 % lie within this many standard deviations. */
const Z = 1.96

/** Lower bound of Wilson's interval of 95 % for a share (Wilson 1927); 0 of nothing. */
export function wilsonLower(hits: number, trials: number): number {
  if (trials === 0) return 0
  const share = hits / trials
  const centre = share + Z ** 2 / (2 * trials)
  const spread = Z * Math.sqrt((share * (1 - share)) / trials + Z ** 2 / (4 * trials ** 2))
  return Math.max(0, (centre - spread) / (1 + Z ** 2 / trials))
}
