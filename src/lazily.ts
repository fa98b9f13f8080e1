/**
 * What is made when it is first asked for, and then kept. Schemas are: making all of them takes longer than
 * reading the rest of the library.
 */
export function lazily<Value extends object>(make: () => Value): () => Value {
  let made: Value | null = null
  return () => (made ??= make())
}
