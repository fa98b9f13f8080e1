import { invalidArgument } from '../../invalid-argument.ts'

/** A parser of one word out of a few. Throws INVALID_ARGUMENT. */
export function oneOf<Word extends string>(...words: readonly Word[]): (flag: string, text: string) => Word {
  return (flag, text) => {
    const found = words.find(word => word === text)
    if (found === undefined) throw invalidArgument(flag, text, words.join(' or '))
    return found
  }
}
