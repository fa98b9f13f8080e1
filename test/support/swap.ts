import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'

const file = '/var/swap-for-test'

/** On a host that is thrown away: with 128 MiB of swap while `work` is done. */
export async function withSwap<Value>(work: () => Promise<Value>): Promise<Value> {
  execFileSync('sh', [
    '-c',
    `dd if=/dev/zero of=${file} bs=1M count=128 2>/dev/null; chmod 600 ${file}; mkswap -q ${file}; swapon ${file}`,
  ])
  try {
    return await work()
  } finally {
    execFileSync('swapoff', [file])
    rmSync(file)
  }
}
