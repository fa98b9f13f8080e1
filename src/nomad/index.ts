export { installPlugin } from './install.ts'
export { serveNomad } from './serve.ts'
