import { Button, Modal, NativeSelect, Textarea, TextInput } from '@mantine/core';
import { type FormEvent, useEffect, useState } from 'react';
import { changeChannel } from '../../../api/channels';
import { type ApiError, asApiError } from '../../../api/error';
import type { Channel } from '../../../api/types';
import {
  changeWidget,
  getWidget,
  renewWidgetSecret,
  type Widget,
  type WidgetSettings,
} from '../../../api/widgets';
import { Confirm } from '../../../components/Confirm';
import { Skeleton } from '../../../components/Skeleton';
import { showToast } from '../../../components/Toasts';
import { t } from '../../../i18n';
import { sentenceOf } from '../../../i18n/errors';
import { useInside } from '../../shell/workspace-context';
import { contrastWithWhite, LEAST_CONTRAST } from './contrast';
import { CodeToCopy, copy } from './WidgetCode';
import { WidgetPreview } from './WidgetPreview';
import classes from './widget.module.css';

/** How a widget looks and behaves, its code, and the secret by which a site vouches for its users. */
export function WidgetDialog({ channel, onClose }: { channel: Channel; onClose: () => void }) {
  const { workspace } = useInside();
  const [widget, setWidget] = useState<Widget | null>(null);
  const [error, setError] = useState<ApiError | null>(null);

  useEffect(() => {
    getWidget(workspace.company.id, channel.id).then(setWidget, (cause) => setError(asApiError(cause)));
  }, [workspace, channel.id]);

  return (
    <Modal
      opened
      onClose={onClose}
      size={1040}
      classNames={{ header: classes.head ?? '' }}
      title={t('widget.title', { name: channel.name })}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      {widget ? (
        <Form widget={widget} onWidget={setWidget} onClose={onClose} />
      ) : error ? (
        <p className={classes.error} role="alert">
          {sentenceOf(error)}
        </p>
      ) : (
        <Skeleton lines={8} label={t('state.loading')} />
      )}
    </Modal>
  );
}

type Rule = 'off' | 'optional' | 'required';
const FIELDS = ['name', 'phone', 'email'] as const;

function Form({
  widget,
  onWidget,
  onClose,
}: {
  widget: Widget;
  onWidget: (widget: Widget) => void;
  onClose: () => void;
}) {
  const { workspace } = useInside();
  const company = workspace.company;
  const [name, setName] = useState(widget.channel.name);
  const [settings, setSettings] = useState(widget.settings);
  const [suggestions, setSuggestions] = useState(widget.settings.suggestions?.join('\n') ?? '');
  const [origins, setOrigins] = useState(widget.settings.allowed_origins?.join('\n') ?? '');
  const [began, setBegan] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState(false);
  const [revealed, setRevealed] = useState(false);

  const lines = (text: string) => text.split('\n').flatMap((line) => line.trim() || []);
  const set = (change: Partial<WidgetSettings>) => setSettings({ ...settings, ...change });
  const edited: WidgetSettings = {
    ...settings,
    suggestions: lines(suggestions),
    allowed_origins: lines(origins),
  };
  const contrast = contrastWithWhite(settings.colour ?? '');
  const colourError =
    contrast === null
      ? t('widget.colour.none')
      : contrast < LEAST_CONTRAST
        ? t('error.colour_too_light')
        : undefined;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy || colourError) return;
    setBusy(true);
    setError(null);
    try {
      const wanted = name.trim();
      if (wanted !== widget.channel.name) {
        workspace.absorb({
          channels: [await changeChannel(company.id, widget.channel.id, { name: wanted })],
        });
      }
      const saved = await changeWidget(company.id, widget.channel.id, edited);
      workspace.absorb({ channels: [saved.channel] });
      showToast({ text: t('widget.saved') });
      onClose();
    } catch (cause) {
      setError(asApiError(cause));
      setBusy(false);
    }
  };

  const renew = async () => {
    try {
      onWidget(await renewWidgetSecret(company.id, widget.channel.id));
    } catch (cause) {
      setError(asApiError(cause));
    }
  };

  const choice = <T extends string>(
    value: T | undefined,
    values: readonly T[],
    label: (value: T) => string,
  ) => ({
    value: value ?? values[0],
    data: values.map((one) => ({ value: one, label: label(one) })),
  });

  return (
    <div className={classes.layout}>
      <form id="widget" className={classes.form} onSubmit={submit}>
        <fieldset>
          <legend>{t('widget.section.look')}</legend>
          <TextInput
            label={t('widget.name')}
            description={t('widget.name.hint')}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            maxLength={80}
            required
          />
          <TextInput
            label={t('widget.head')}
            placeholder={company.name}
            value={settings.title}
            onChange={(event) => set({ title: event.currentTarget.value })}
            maxLength={60}
          />
          <TextInput
            label={t('widget.subtitle')}
            placeholder={t('widget.subtitle.example')}
            value={settings.subtitle}
            onChange={(event) => set({ subtitle: event.currentTarget.value })}
            maxLength={80}
          />
          <div className={classes.colour}>
            <TextInput
              label={t('widget.colour')}
              value={settings.colour}
              onChange={(event) => set({ colour: event.currentTarget.value.trim() })}
              error={colourError}
              maxLength={7}
              spellCheck={false}
            />
            <input
              type="color"
              aria-label={t('widget.colour.choose')}
              value={contrast === null ? '#000000' : settings.colour}
              onChange={(event) => set({ colour: event.currentTarget.value })}
            />
          </div>
          <div className={classes.pair}>
            <NativeSelect
              label={t('widget.side')}
              {...choice<'right' | 'left'>(settings.side, ['right', 'left'], (side) =>
                t(`widget.side.${side}`),
              )}
              onChange={(event) => set({ side: event.currentTarget.value as WidgetSettings['side'] })}
            />
            <NativeSelect
              label={t('widget.scheme')}
              {...choice<'light' | 'dark' | 'auto'>(settings.scheme, ['light', 'dark', 'auto'], (scheme) =>
                t(`widget.scheme.${scheme}`),
              )}
              onChange={(event) => set({ scheme: event.currentTarget.value as WidgetSettings['scheme'] })}
            />
          </div>
          <NativeSelect
            label={t('widget.language')}
            {...choice<'auto' | 'ru' | 'en'>(settings.language, ['auto', 'ru', 'en'], (language) =>
              t(`widget.language.${language}`),
            )}
            onChange={(event) => set({ language: event.currentTarget.value as WidgetSettings['language'] })}
          />
          <label className={classes.tick}>
            <input
              type="checkbox"
              checked={settings.powered_by}
              onChange={(event) => set({ powered_by: event.currentTarget.checked })}
            />
            {t('widget.powered_by')}
          </label>
        </fieldset>
        <fieldset>
          <legend>{t('widget.section.words')}</legend>
          <Textarea
            label={t('widget.greeting')}
            value={settings.greeting}
            onChange={(event) => set({ greeting: event.currentTarget.value })}
            maxLength={500}
            rows={2}
          />
          <Textarea
            label={t('widget.suggestions')}
            description={t('widget.suggestions.hint')}
            value={suggestions}
            onChange={(event) => setSuggestions(event.currentTarget.value)}
            rows={3}
          />
          <Textarea
            label={t('widget.offline_text')}
            description={t('widget.offline_text.hint')}
            value={settings.offline_text}
            onChange={(event) => set({ offline_text: event.currentTarget.value })}
            maxLength={300}
            rows={2}
          />
        </fieldset>
        <fieldset>
          <legend>{t('widget.section.form')}</legend>
          <p className={classes.hint}>{t('widget.form.hint')}</p>
          <div className={classes.triple}>
            {FIELDS.map((field) => (
              <NativeSelect
                key={field}
                label={t(`widget.form.${field}`)}
                {...choice<Rule>(settings.form?.[field], ['off', 'optional', 'required'], (rule) =>
                  t(`widget.rule.${rule}`),
                )}
                onChange={(event) =>
                  set({ form: { ...settings.form, [field]: event.currentTarget.value as Rule } })
                }
              />
            ))}
          </div>
        </fieldset>
        <fieldset>
          <legend>{t('widget.section.sites')}</legend>
          <Textarea
            label={t('widget.origins')}
            description={lines(origins).length === 0 ? t('widget.origins.any') : t('widget.origins.hint')}
            placeholder={'https://shop.ru\nhttps://*.shop.ru'}
            value={origins}
            onChange={(event) => setOrigins(event.currentTarget.value)}
            rows={3}
            spellCheck={false}
          />
          <CodeToCopy widget={widget} />
        </fieldset>
        <fieldset>
          <legend>{t('widget.section.identity')}</legend>
          <p className={classes.hint}>{t('widget.identity.hint')}</p>
          <div className={classes.secret}>
            <code>{revealed ? widget.secret : '•'.repeat(24)}</code>
            <Button size="compact-sm" variant="default" onClick={() => setRevealed(!revealed)}>
              {revealed ? t('widget.secret.hide') : t('widget.secret.show')}
            </Button>
            <Button size="compact-sm" variant="default" onClick={() => void copy(widget.secret)}>
              {t('widget.code.copy')}
            </Button>
            <Button size="compact-sm" variant="default" onClick={() => setAsking(true)}>
              {t('widget.secret.renew')}
            </Button>
          </div>
        </fieldset>
      </form>
      <aside className={classes.aside}>
        <div className={classes.states}>
          {([false, true] as const).map((after) => (
            <button
              key={String(after)}
              type="button"
              aria-pressed={began === after}
              onClick={() => setBegan(after)}
            >
              {after ? t('widget.preview.after') : t('widget.preview.before')}
            </button>
          ))}
        </div>
        <WidgetPreview
          settings={colourError ? { ...edited, colour: widget.settings.colour } : edited}
          company={company.name}
          began={began}
        />
      </aside>
      <div className={classes.foot}>
        {error && (
          <p className={classes.error} role="alert">
            {sentenceOf(error)}
          </p>
        )}
        <Button variant="default" onClick={onClose}>
          {t('action.cancel')}
        </Button>
        <Button
          type="submit"
          form="widget"
          loading={busy}
          disabled={colourError !== undefined || !name.trim()}
        >
          {t('action.save')}
        </Button>
      </div>
      <Confirm
        opened={asking}
        title={t('widget.secret.renew.title')}
        text={t('widget.secret.renew.text')}
        action={t('widget.secret.renew')}
        onClose={() => setAsking(false)}
        onConfirm={() => void renew()}
      />
    </div>
  );
}
