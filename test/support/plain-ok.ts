import assert, { AssertionError } from 'node:assert/strict'
import { inspect } from 'node:util'

/**
 * Replaces `assert.ok()` by one that does not look for its own text. Without a message, Node parses the
 * source to show the call that failed; tsx makes one line of each file, through which that takes seconds of
 * processor time, in which nothing else of the program runs. A first look of `eventually()` often fails.
 */
export function replaceOk(): void {
  function ok(value: unknown, message?: string | Error): void {
    if (value) return
    if (message instanceof Error) throw message
    throw new AssertionError({
      message: message ?? `The expression evaluated to a falsy value: ${inspect(value)}`,
      actual: value,
      expected: true,
      operator: '==',
      stackStartFn: ok,
    })
  }
  Object.assign(assert, { ok })
}
