import { render } from 'preact'
import 'uplot/dist/uPlot.min.css'
import './style/index.css'
import { App } from './app.tsx'
import { takeToken } from './connection.ts'
import { applyTheme } from './theme.ts'

applyTheme()
const root = document.getElementById('app')
if (root !== null) render(<App hasToken={takeToken()} />, root)
