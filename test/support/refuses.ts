import { strict as assert } from 'node:assert'
import { HoldfastError } from '../../src/index.ts'

type Expected = Partial<Pick<HoldfastError, 'code' | 'stage' | 'errno'>> & { message?: RegExp; hint?: RegExp }

/** Asserts that the promise rejects with a HoldfastError of these details, and returns it. */
export async function refuses(
  work: Promise<unknown>,
  { message, hint, ...details }: Expected,
): Promise<HoldfastError> {
  const error = await work.then(
    value => assert.fail(`expected a rejection, got ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof HoldfastError, `expected a HoldfastError, got ${String(error)}`)
  const { code, stage, errno } = error
  const seen = { code, stage, errno }
  const expected = { ...seen, ...details }
  assert.deepEqual(seen, expected, error.message)
  if (message !== undefined) assert.match(error.message, message)
  if (hint !== undefined) assert.match(error.hint ?? '(no hint)', hint)
  return error
}
