import type { Access } from '../../src/platform/linux/access.ts'

const everybody = [{ first: 0, count: 4_294_967_295 }]

/** Of root in the first user namespace, with all capabilities, as a platform finds it. */
export const rootAccess: Access = {
  right: 'root',
  self: { uid: 0, gid: 0, groups: [] },
  ownUserOnly: null,
  maps: { users: everybody, groups: everybody, setsGroups: true, isMade: false },
  limitsCapabilities: true,
  kernel: { namespaces: new Set(), seccomp: true },
}
