export { type Inspector, inspector } from './inspector.ts'
export type { InspectorOptions } from './options.ts'
