import * as z from 'zod/mini'
import { isFaithful } from './faithful.ts'
import { isAbsoluteHere } from './paths.ts'

/*
 * Schemas whose every error is the one sentence that says what the field takes. validate.ts puts the path and
 * the value before it.
 */

export function integer(minimum: number, maximum: number, unit = ''): z.ZodMiniType<number> {
  const upper = maximum === Number.MAX_SAFE_INTEGER ? '' : ` and <= ${maximum}`
  const error = `an integer >= ${minimum}${upper}${unit && ` (${unit})`}`
  return z.int({ error }).check(z.minimum(minimum, { error }), z.maximum(maximum, { error }))
}

export function matching<T extends string>(
  takes: string,
  accepts: (text: string) => boolean,
): z.ZodMiniType<T> {
  return z.custom<T>(value => typeof value === 'string' && accepts(value), { error: takes })
}

export function oneOf<const T extends string>(...values: readonly T[]): z.ZodMiniType<T> {
  return z.enum(values as readonly [T, ...T[]], { error: values.map(value => `"${value}"`).join(' or ') })
}

export const flag = z.boolean({ error: 'true or false' })

export const listOf = <T>(item: z.ZodMiniType<T>, takes: string): z.ZodMiniType<T[]> =>
  z.array(item, { error: takes })

/** An object with exactly these fields; any other is refused by name. */
export function fields<Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
  takes = 'an object',
): z.ZodMiniObject<Shape, z.core.$strict> {
  const known = Object.keys(shape).join(', ')
  return z.strictObject(shape, {
    error: issue =>
      issue.code === 'unrecognized_keys'
        ? `no field of this name; known are ${known}`
        : `${takes} with fields of ${known}`,
  })
}

export const anyText = matching('a string without NUL and lone surrogates', isFaithful)
export const someText = matching(
  'a non-empty string without NUL and lone surrogates',
  text => text !== '' && isFaithful(text),
)
export const absolutePath = matching('an absolute path without NUL and lone surrogates', isAbsolutePath)

/** Where something is put inside the task's root: the root itself is not ours to replace. */
export const targetPath = matching(
  'an absolute path other than "/", without "..", NUL and lone surrogates',
  path => isAbsolutePath(path) && namesSomethingInside(path),
)

export const innerPath = matching(
  'a path inside the root, without "..", NUL and lone surrogates',
  namesSomethingInside,
)

function isAbsolutePath(path: string): boolean {
  return isAbsoluteHere(path) && isFaithful(path)
}

function namesSomethingInside(path: string): boolean {
  const names = path.split('/').filter(name => name !== '' && name !== '.')
  return names.length > 0 && !names.includes('..') && isFaithful(path)
}
