import '@fontsource-variable/golos-text/wght.css';
import './theme/mantine.css';
import './theme/tokens.css';
import './theme/base.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App';
import { whenIdle } from './features/shell/idle';
import { activateLanguage, preferredLanguage } from './i18n';

async function start() {
  await activateLanguage(preferredLanguage());
  const root = document.getElementById('root');
  if (!root) throw new Error('index.html has no #root');
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}

void start();

// Without HTTPS there is none, and nothing is missing but opening without a network.
if (import.meta.env.PROD && 'serviceWorker' in navigator) {
  // It fetches every file of the interface: not while this page still needs its own.
  window.addEventListener('load', () =>
    whenIdle(() => void navigator.serviceWorker.register('/service-worker.js').catch(() => undefined)),
  );
}
