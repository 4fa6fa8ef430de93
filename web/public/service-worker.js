// Opens the interface without a network. It keeps files of the interface and nothing else: what the
// server says is never answered from here. The build fills in its name and its files.
const BUILD = 'BUILD';
const FILES = ['FILES'];
const CACHE = `uzel-${BUILD}`;
/** A network that does not answer is none. */
const PATIENCE_MS = 4000;

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)));
});

// A new one waits until the old pages are gone, or until somebody asks for the new version.
self.addEventListener('message', (event) => {
  if (event.data === 'take_over') self.skipWaiting();
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) =>
        Promise.all(
          names
            .filter((name) => name.startsWith('uzel-') && name !== CACHE)
            .map((name) => caches.delete(name)),
        ),
      )
      .then(() => self.clients.claim()),
  );
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (url.pathname.startsWith('/assets/')) {
    event.respondWith(caches.match(request).then((held) => held || fetch(request)));
  } else if (request.mode === 'navigate' && isOurs(url.pathname)) {
    event.respondWith(page(request));
  }
});

/** Pages of the interface; everything else is the server's own. */
function isOurs(path) {
  return path === '/' || /^\/(?:c|setup|sign-in)(?:\/|$)/.test(path);
}

async function page(request) {
  const aborter = new AbortController();
  const timer = setTimeout(() => aborter.abort(), PATIENCE_MS);
  try {
    return await fetch(request, { signal: aborter.signal });
  } catch (error) {
    const held = await caches.match('/', { cacheName: CACHE });
    if (held) return held;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
