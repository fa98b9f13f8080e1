// One side of bench/rootless.ts, as the user it was started as: starts isolated tasks when told to, and tells
// what they took.
import { holdfast } from './holdfast.ts'

const [stateRoot = ''] = process.argv.slice(2)
const side = holdfast('side', '', { platform: 'linux', durability: 'process' }, stateRoot)

process.on('message', (count: number) => {
  measure(count).catch(fail)
})
process.once('disconnect', () => {
  side.close().catch(fail)
})

/** Ends the program, as what nobody catches does. */
function fail(error: unknown): void {
  throw error
}

async function measure(count: number): Promise<void> {
  const milliseconds: number[] = []
  for (let index = 0; index < count; index++) {
    const began = performance.now()
    const forget = await side.run(0)
    milliseconds.push(performance.now() - began)
    await forget()
  }
  process.send?.(milliseconds)
}
