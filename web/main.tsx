import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './frame/app.tsx'
import './style/base.css'
import './style/pages.css'
import './frame/frame.css'

const element = document.querySelector('#console')
if (element)
  createRoot(element).render(
    <StrictMode>
      <App />
    </StrictMode>,
  )
