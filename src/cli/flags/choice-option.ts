import { Option } from 'commander'

/**
 * An option whose value is one of a few words, which completion offers. commander's own choices would put
 * them into the help once more.
 */
export class ChoiceOption extends Option {
  readonly words: readonly string[]

  constructor(flags: string, description: string, words: readonly string[]) {
    super(flags, description)
    this.words = words
  }
}
