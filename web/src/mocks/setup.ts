import 'fake-indexeddb/auto';
import { beforeAll } from 'vitest';
import { activateLanguage } from '../i18n';

beforeAll(() => activateLanguage('ru'));
