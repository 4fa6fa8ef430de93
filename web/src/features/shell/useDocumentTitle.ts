import { useEffect } from 'react';
import { t } from '../../i18n';

/** `(3) Узел`: how many conversations wait for an answer. */
export function useDocumentTitle(unanswered: number): void {
  useEffect(() => {
    const name = t('product.name');
    document.title = unanswered > 0 ? `(${unanswered}) ${name}` : name;
  }, [unanswered]);
}
