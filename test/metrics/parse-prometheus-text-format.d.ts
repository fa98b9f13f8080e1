declare module 'parse-prometheus-text-format' {
  type Family = {
    readonly name: string
    readonly help: string
    readonly type: 'COUNTER' | 'GAUGE' | 'HISTOGRAM' | 'SUMMARY' | 'UNTYPED'
    readonly metrics: readonly unknown[]
  }
  const parse: (text: string) => Family[]
  // The library's own way to export.
  // eslint-disable-next-line no-restricted-syntax
  export default parse
}
