// Sets the colour scheme and the language before the first paint, and asks early for what comes late. A file of its own, since the content
// security policy allows no script inside the page.
(() => {
  let scheme = null;
  let language = null;
  try {
    scheme = localStorage.getItem('uzel-scheme');
    language = localStorage.getItem('uzel-language');
  } catch {
    // Storage is closed to us: the system decides.
  }
  if (scheme !== 'light' && scheme !== 'dark') {
    scheme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  }
  document.documentElement.setAttribute('data-mantine-color-scheme', scheme);
  if (language) document.documentElement.lang = language;

  const ask = (rel, href, as) => {
    const link = document.createElement('link');
    link.rel = rel;
    link.crossOrigin = '';
    if (as) link.as = as;
    link.href = href;
    document.head.append(link);
  };
  const russian = language ? language === 'ru' : navigator.language.toLowerCase().startsWith('ru');
  const words = document.currentScript.dataset[russian ? 'ru' : 'en'];
  if (words) ask('modulepreload', words);
  // Who is signed in decides what is shown.
  if (/^\/(?:c\/|$)/.test(location.pathname)) ask('preload', '/api/v1/session', 'fetch');
})();
