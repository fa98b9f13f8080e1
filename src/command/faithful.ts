/**
 * Whether the kernel gets a string as it is: NUL would end it, and a lone surrogate has no bytes in UTF-8, so
 * that U+FFFD would arrive in its place, silently.
 */
export function isFaithful(text: string): boolean {
  return !/[\0\p{Cs}]/u.test(text)
}
