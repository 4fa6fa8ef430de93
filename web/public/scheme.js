// Sets the colour scheme and the language before the first paint. A file of its own, since the content
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
})();
