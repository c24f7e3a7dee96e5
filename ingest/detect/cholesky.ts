/** Symmetric matrices of n rows, row by row in one array; only the lower triangle is read. */

/** The lower triangular factor of a positive definite matrix; a pivot below `least` counts as `least`. */
export function factorise(matrix: Float64Array, n: number, least = 1e-9): Float64Array {
  const factor = new Float64Array(n * n)
  for (let row = 0; row < n; row++)
    for (let column = 0; column <= row; column++) {
      let sum = matrix[row * n + column] as number
      for (let k = 0; k < column; k++)
        sum -= (factor[row * n + k] as number) * (factor[column * n + k] as number)
      factor[row * n + column] =
        row === column ? Math.sqrt(Math.max(sum, least)) : sum / (factor[column * n + column] as number)
    }
  return factor
}

/** L⁻¹ x, where L is the factor: its squares add up to xᵀ M⁻¹ x. */
export function forward(factor: Float64Array, n: number, x: Float64Array): Float64Array {
  const solved = new Float64Array(n)
  for (let row = 0; row < n; row++) {
    let sum = x[row] as number
    for (let k = 0; k < row; k++) sum -= (factor[row * n + k] as number) * (solved[k] as number)
    solved[row] = sum / (factor[row * n + row] as number)
  }
  return solved
}

/** L⁻ᵀ y; applied to what `forward` gives it is M⁻¹ x. */
export function backward(factor: Float64Array, n: number, y: Float64Array): Float64Array {
  const solved = new Float64Array(n)
  for (let row = n - 1; row >= 0; row--) {
    let sum = y[row] as number
    for (let k = row + 1; k < n; k++) sum -= (factor[k * n + row] as number) * (solved[k] as number)
    solved[row] = sum / (factor[row * n + row] as number)
  }
  return solved
}

/** The diagonal of M⁻¹. */
export function inverseDiagonal(factor: Float64Array, n: number): Float64Array {
  const unit = new Float64Array(n)
  return Float64Array.from({ length: n }, (_, i) => {
    unit.fill(0)
    unit[i] = 1
    return forward(factor, n, unit).reduce((sum, value) => sum + value * value, 0)
  })
}
