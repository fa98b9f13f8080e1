import { invalidArgument } from '../../invalid-argument.ts'

/** A parser of one word out of a few. Throws INVALID_ARGUMENT. */
export type OneOf<Word extends string> = {
  (flag: string, text: string): Word
  readonly words: readonly Word[]
}

export function oneOf<Word extends string>(...words: readonly Word[]): OneOf<Word> {
  const parse = (flag: string, text: string): Word => {
    const found = words.find(word => word === text)
    if (found === undefined) throw invalidArgument(flag, text, words.join(' or '))
    return found
  }
  return Object.assign(parse, { words })
}
