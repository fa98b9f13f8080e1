import { execFileSync } from 'node:child_process'

/** A machine of its own as far as the network goes. */
export type Host = { readonly namespace: string; readonly address: string }

// In the block for tests of networks (RFC 2544), so that no real one is hidden.
const gateway = '198.18.77.1'

/**
 * Hosts on one wire: a bridge here, and for each a network namespace that hangs on it. Needs root and
 * iproute2.
 */
export class Network {
  // Interface names have 15 characters at most.
  readonly #name = `hf${process.pid}`
  readonly #hosts: { readonly namespace: string; readonly outer: string }[] = []

  constructor() {
    ip('link', 'add', this.#name, 'type', 'bridge')
    ip('addr', 'add', `${gateway}/24`, 'dev', this.#name)
    ip('link', 'set', this.#name, 'up')
  }

  add(): Host {
    const number = this.#hosts.length + 2
    const [namespace, outer] = [`${this.#name}-${number}`, `${this.#name}v${number}`]
    const address = `198.18.77.${number}`
    ip('netns', 'add', namespace)
    this.#hosts.push({ namespace, outer })
    ip('link', 'add', outer, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace)
    ip('link', 'set', outer, 'master', this.#name, 'up')
    ip('-n', namespace, 'addr', 'add', `${address}/24`, 'dev', 'eth0')
    for (const device of ['lo', 'eth0']) ip('-n', namespace, 'link', 'set', device, 'up')
    // An agent takes the interface of the default route for its host's.
    ip('-n', namespace, 'route', 'add', 'default', 'via', gateway)
    return { namespace, address }
  }

  close(): void {
    for (const { namespace, outer } of this.#hosts) {
      // A namespace lives on for as long as somebody is in it, and its end of the wire with it.
      ip('link', 'delete', outer)
      ip('netns', 'delete', namespace)
    }
    ip('link', 'delete', this.#name)
  }
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}
