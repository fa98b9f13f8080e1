/** Not a failure: the reason why there is nothing to prove. */
export class Skipped extends Error {}

/** Throws, saying what was expected and what was found. */
export function expect(what: string, found: unknown, wanted: unknown): void {
  const [is, ought] = [JSON.stringify(found), JSON.stringify(wanted)]
  if (is !== ought) throw new Error(`${what}: got ${is}, expected ${ought}`)
}

export function expectThat(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what)
}
