/*
 * A tool for an agent: runs code that nobody vouches for, and answers with what a model can read. `npx tsx
 * examples/sandbox.ts`.
 */
import { run } from '../src/index.ts' // in your own program: from 'holdfast'

async function python(code: string): Promise<string> {
  const { cause, exitCode, oomKilled, output, truncated } = await run('python3', ['-I', '-'], {
    untrusted: true,
    input: code,
    maxOutputBytes: 4096,
    limits: { memoryMB: 128, cpuLimit: 0.5, wallTimeMs: 3000 },
  })
  const end = oomKilled ? 'out of memory' : cause === 'timeout' ? 'out of time' : `exit code ${exitCode}`
  return `[${end}] ${output.trimEnd()}${truncated ? '\n[more was left out]' : ''}`
}

console.log(await python('print(6 * 7)'))
console.log(await python('import os; os.execvp("cat", ["cat", "/etc/shadow"])'))
console.log(await python('import socket; print(socket.socket().connect_ex(("127.0.0.1", 22)))'))
console.log(await python('print("x" * 5000)'))
console.log(await python('while True: pass'))
console.log(await python('x = " " * (1 << 30)'))
