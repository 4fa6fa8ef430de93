import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import { RouterProvider } from '@tanstack/react-router';
import { useEffect } from 'react';
import { onSignedOut } from './api/client';
import { language } from './i18n';
import { router } from './router';
import { leave } from './state/session';
import { useValue } from './state/store';
import { cssVariablesResolver, theme } from './theme/theme';

const schemeManager = localStorageColorSchemeManager({ key: 'uzel-scheme' });

export function App() {
  // Another language draws everything anew; what has to survive that lives outside of React.
  const spoken = useValue(language);
  useEffect(
    () =>
      onSignedOut(() => {
        leave();
        void router.invalidate();
      }),
    [],
  );
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariablesResolver}
      colorSchemeManager={schemeManager}
      defaultColorScheme="auto"
    >
      <RouterProvider key={spoken} router={router} />
    </MantineProvider>
  );
}
