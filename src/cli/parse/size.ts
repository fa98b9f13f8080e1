import { invalidArgument } from '../../invalid-argument.ts'

const units: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 }

/** `512K`, `64M`, `1.5G`, `2T` (powers of 1024) or plain bytes, in bytes. Throws INVALID_ARGUMENT. */
export function parseSize(flag: string, text: string): number {
  const [match, number, letter = ''] = /^(\d{1,16}(?:\.\d{1,9})?)([KMGT]?)$/i.exec(text) ?? []
  const bytes = Number(number) * (units[letter.toUpperCase()] ?? 0)
  if (match === undefined || !Number.isSafeInteger(bytes)) {
    throw invalidArgument(flag, text, 'a size such as 64M, 1G, 512K or whole bytes')
  }
  return bytes
}
