import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { javaProgram } from '../../../support/runtimes.ts'

/** What the jobs' artifacts are here, by the names that the jobs have for them. */
const scripts: Readonly<Record<string, string>> = {
  'own-binary': 'echo served by $0; id; grep -E "^Cap(Eff|Bnd)" /proc/self/status',
  'redis-server':
    'echo "$@"; grep -v "^#" /etc/resolv.conf; trap "exit 0" INT; echo up; while :; do sleep 0.05; done',
  edge: 'grep CapEff /proc/self/status; echo "$@"; trap "exit 0" INT; echo up; while :; do sleep 0.05; done',
  tcpdump: 'echo "$@"; id -un; grep CapEff /proc/self/status',
  store:
    'echo "$@"; ls /var/lib/store; echo kept > /var/lib/store/kept; trap "exit 0" INT; echo up; while :; do sleep 0.05; done',
  lookup: 'echo $0; cat "$@"; head -n 1 /etc/passwd; ls -d /etc/lookup /etc/hosts',
  app: 'echo "$@"; echo $RELEASE',
}

/** Without imports, so that any Java compiles it. */
const java = `
public class Hello {
  public static void main(String[] args) {
    System.out.println("hello " + String.join(" ", args));
    System.out.println("port given " + (args.length > 1 && args[0].equals("--port")));
    System.out.println("user " + System.getProperty("user.name") + " in " + System.getProperty("user.dir"));
  }
}`

/** A server of artifacts on loopback; there is no other network here. */
export class Artifacts {
  readonly #server: Server
  readonly #directory: string

  private constructor(directory: string, server: Server) {
    this.#directory = directory
    this.#server = server
  }

  static async serve(directory: string): Promise<Artifacts> {
    mkdirSync(directory, { recursive: true })
    for (const [name, script] of Object.entries(scripts))
      writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`, { mode: 0o644 })
    tree(directory, 'report-1.4.tar.gz', {
      build: '#!/bin/sh\necho "$@"; ls -l /local/report; date > /alloc/data/report\n',
    })
    tree(directory, 'legacy.tar.gz', {
      run: '#!/bin/sh\ncat /etc/legacy.conf; echo changed 2>/dev/null > /etc/legacy.conf && echo written || echo read-only\n',
    })
    const server = createServer(({ url = '' }, response) => {
      const path = join(directory, new URL(url, 'http://localhost').pathname)
      if (existsSync(path)) response.end(readFileSync(path))
      else response.writeHead(404).end()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new Artifacts(directory, server)
  }

  /** Where an artifact of that name is; Nomad fetches it from there. */
  url(name: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${name}`
  }

  /** Makes `Hello.class`, and jars of it; false where there is no compiler of Java. */
  compileJava(): boolean {
    const java_ = javaProgram()
    if (java_ === undefined) return false
    writeFileSync(join(this.#directory, 'Hello.java'), java)
    const tool = (name: string, ...args: string[]) =>
      execFileSync(java_, ['-m', name, ...args], { cwd: this.#directory, stdio: 'ignore' })
    try {
      tool('jdk.compiler/com.sun.tools.javac.Main', '--release', '11', 'Hello.java')
      for (const jar of ['hello.jar', 'ledger.jar'])
        tool('jdk.jartool/sun.tools.jar.Main', '-cfe', jar, 'Hello', 'Hello.class')
      return true
    } catch {
      return false
    }
  }

  close(): void {
    this.#server.close()
  }
}

/** An archive of scripts, without mode bits that would make programs of them. */
function tree(directory: string, archive: string, files: Readonly<Record<string, string>>): void {
  const content = join(directory, `${archive}.d`)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(content, name)), { recursive: true })
    writeFileSync(join(content, name), text, { mode: 0o755 })
  }
  execFileSync('tar', ['-czf', join(directory, archive), '-C', content, '.'])
}
