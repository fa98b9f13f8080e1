import { strict as assert } from 'node:assert'
import { bytesText, timeText } from '../../../src/cli/output/units.ts'

describe('units', () => {
  const sizes: [number | null, string][] = [
    [null, '-'],
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [1024 * 1024 - 1, '1 MiB'],
    [64 * 1024 ** 2, '64 MiB'],
    [4.2 * 1024 ** 3, '4.2 GiB'],
  ]
  for (const [bytes, shown] of sizes)
    it(`${bytes} bytes read ${shown}`, () => assert.equal(bytesText(bytes), shown))

  const times: [number | null, string][] = [
    [null, '-'],
    [0, '0 ms'],
    [2.34, '2.3 ms'],
    [12.6, '13 ms'],
    [999.7, '1 s'],
    [3400, '3.4 s'],
    [59_990, '1m'],
    [307_000, '5m 7s'],
    [7_380_000, '2h 3m'],
    [86_400_000 * 4 + 3_600_000 * 5, '4d 5h'],
  ]
  for (const [time, shown] of times) it(`${time} ms read ${shown}`, () => assert.equal(timeText(time), shown))
})
