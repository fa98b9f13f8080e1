// Reads of an ELF file what says whether it can be shipped: for which machine it is, and whether it asks for
// a loader.
import { readFileSync } from 'node:fs'

/** e_machine of elf(5). */
const machines = { x64: 62, arm64: 183 }
const PT_INTERP = 3

export function isStaticElf(path, arch) {
  const file = readFileSync(path)
  const isElf64 = file.readUInt32BE(0) === 0x7f454c46 && file[4] === 2 && file[5] === 1
  if (!isElf64 || file.readUInt16LE(18) !== machines[arch]) return false
  const table = Number(file.readBigUInt64LE(32))
  const size = file.readUInt16LE(54)
  const count = file.readUInt16LE(56)
  for (let index = 0; index < count; index++) {
    if (file.readUInt32LE(table + index * size) === PT_INTERP) return false
  }
  return true
}
