import { chooseLanguage, type Language, language } from '../../i18n';
import { useValue } from '../../state/store';
import classes from './LanguageSwitch.module.css';

const NAMES: [Language, string][] = [
  ['ru', 'Русский'],
  ['en', 'English'],
];

/** Languages are named in themselves. */
export function LanguageSwitch() {
  const now = useValue(language);
  return (
    <div className={classes.switch}>
      {NAMES.map(([code, name]) => (
        <button
          key={code}
          type="button"
          lang={code}
          aria-pressed={now === code}
          onClick={() => void chooseLanguage(code)}
        >
          {name}
        </button>
      ))}
    </div>
  );
}
