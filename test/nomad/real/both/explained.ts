import type { Explained } from './difference.ts'

const group = 'the group of a task'
const failed = 'the event of a start that fails'
/** All that a job has when it starts under one driver alone. */
const anything = /./

/** Each difference that is to be expected, with the rows of docs/nomad.md that say why. */
export const explained: readonly Explained[] = [
  { file: /./, what: /^alloc\/container$/, rows: ['the root'] },
  { file: /./, what: /(?:^alloc|file )/, values: /^(\w+ \d+ \d+):0( .*)?\n\1:(?!0)\d+\2?$/, rows: [group] },
  {
    file: /docs-exec-artifact/,
    what: /stdout/,
    values: /gid=0[^]*CapEff:\t0*[1-9a-f][^]*gid=65534[^]*CapEff:\t0+\n/,
    rows: ['capabilities', group],
  },
  {
    file: /privileged-port/,
    what: /stdout/,
    values: /CapEff:\t0*[1-9a-f][^]*CapEff:\t0+\n/,
    rows: ['capabilities'],
  },
  { file: /^places$/, what: /^\/(dev)?: (is|write)/, rows: ['the root'] },
  { file: /^places$/, what: /^\/sys/, rows: ['`/sys`'] },
  { file: /raw-exec/, what: /stdout/, rows: ['the `raw_exec` driver'] },
  {
    file: /read-only-root/,
    what: /stdout/,
    values: /^a = 1\s*written\n+a = 1\s*read-only\n/,
    rows: ['`artifact`, `template` outside of `local/`, `secrets/`, `tmp/`, `alloc/`'],
  },
  {
    file: /read-only-root/,
    what: /legacy\.conf/,
    rows: ['`artifact`, `template` outside of `local/`, `secrets/`, `tmp/`, `alloc/`'],
  },
  { file: /^root-caps\.nomad\.hcl$/, what: anything, rows: ['`pid_mode = "host"`', failed] },
  { file: /root-caps.*private/, what: anything, rows: ['capabilities'] },
  { file: /template/, what: anything, values: /known|Exit Code|exit|address|denied/, rows: [group] },
  {
    file: /^volumes\.nomad\.hcl$/,
    what: anything,
    rows: ['`propagation_mode` of a volume, `csi_plugin`', failed],
  },
]
