import { type CSSVariablesResolver, createTheme, type MantineColorsTuple, rem } from '@mantine/core';
import classes from './mantine.module.css';

const vasilek: MantineColorsTuple = [
  '#F3F4FE',
  '#E6E9FC',
  '#CDD3FA',
  '#ABB4F5',
  '#8791EE',
  '#6A75E6',
  '#4C58D6',
  '#3E49BE',
  '#333C9C',
  '#292F78',
];
const gray: MantineColorsTuple = [
  '#FAF9F6',
  '#F3F1EC',
  '#E8E4DC',
  '#DCD7CC',
  '#CDC7BA',
  '#A8A295',
  '#6F6A60',
  '#57534B',
  '#3A3732',
  '#211F1B',
];
const dark: MantineColorsTuple = [
  '#ECE9E3',
  '#BBB6AC',
  '#9C968B',
  '#6B665D',
  '#3B3833',
  '#2E2B28',
  '#242220',
  '#1C1B19',
  '#161513',
  '#11100F',
];
const green: MantineColorsTuple = [
  '#EDF8F1',
  '#DCF1E4',
  '#B9E2C9',
  '#8FCFA9',
  '#5FB784',
  '#3A9E66',
  '#1F7D4C',
  '#19663E',
  '#134E30',
  '#0D3721',
];
const red: MantineColorsTuple = [
  '#FEF2F0',
  '#FCE4E1',
  '#F8C8C2',
  '#F1A097',
  '#E8746A',
  '#DB4E44',
  '#C4342C',
  '#A42822',
  '#80201B',
  '#5B1814',
];
const flax: MantineColorsTuple = [
  '#FDF8EC',
  '#FAF0D9',
  '#F3E0B3',
  '#E9CA82',
  '#DCAF52',
  '#C9932F',
  '#8F5B0C',
  '#754A09',
  '#583806',
  '#3C2604',
];

const field = {
  input: classes.input,
  label: classes.label,
  description: classes.description,
  error: classes.error,
};

export const theme = createTheme({
  fontFamily: "'Golos Text Variable', 'Golos Text', system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, monospace",
  colors: { vasilek, gray, dark, green, red, flax },
  primaryColor: 'vasilek',
  primaryShade: { light: 6, dark: 6 },
  black: '#211F1B',
  cursorType: 'pointer',
  focusRing: 'auto',
  respectReducedMotion: true,
  defaultRadius: 'md',
  fontSizes: { xs: rem(12), sm: rem(13), md: rem(14), lg: rem(16), xl: rem(20) },
  lineHeights: { xs: '1.3333', sm: '1.3846', md: '1.4286', lg: '1.375', xl: '1.3' },
  spacing: { xs: rem(8), sm: rem(12), md: rem(16), lg: rem(24), xl: rem(32) },
  radius: { xs: rem(4), sm: rem(6), md: rem(8), lg: rem(12), xl: rem(16) },
  headings: { fontWeight: '600' },
  shadows: {
    xs: '0 1px 2px rgba(33,31,27,.06)',
    sm: '0 1px 2px rgba(33,31,27,.05), 0 2px 8px rgba(33,31,27,.05)',
    md: '0 2px 6px rgba(33,31,27,.06), 0 10px 28px rgba(33,31,27,.10)',
    lg: '0 4px 10px rgba(33,31,27,.06), 0 24px 64px rgba(33,31,27,.16)',
    xl: '0 32px 80px rgba(33,31,27,.22)',
  },
  // Plain objects: naming the components here would load the code of all of them at once.
  components: {
    Button: {
      defaultProps: { size: 'sm' },
      classNames: { root: classes.button, label: classes.buttonLabel },
    },
    ActionIcon: {
      defaultProps: { variant: 'subtle', color: 'gray', size: 32 },
      classNames: { root: classes.icon },
    },
    TextInput: { defaultProps: { size: 'sm' }, classNames: field },
    Textarea: { defaultProps: { size: 'sm' }, classNames: field },
    NativeSelect: { defaultProps: { size: 'sm' }, classNames: field },
    PinInput: { classNames: { root: classes.pinRoot, input: classes.pin } },
    Radio: {
      defaultProps: { size: 'xs' },
      classNames: { label: classes.checkLabel, description: classes.description },
    },
    Modal: {
      defaultProps: {
        radius: 'lg',
        centered: true,
        shadow: 'lg',
        overlayProps: { backgroundOpacity: 1, color: 'var(--uz-scrim)' },
        transitionProps: { duration: 120 },
      },
      classNames: {
        content: classes.modal,
        header: classes.modalHeader,
        title: classes.modalTitle,
        body: classes.modalBody,
      },
    },
    Tooltip: { defaultProps: { openDelay: 350, radius: 'sm', fz: 12 } },
    Menu: {
      defaultProps: { radius: 'lg', shadow: 'md', transitionProps: { duration: 120 } },
      classNames: { dropdown: classes.dropdown },
    },
    Popover: {
      defaultProps: { radius: 'lg', shadow: 'md' },
      classNames: { dropdown: classes.dropdown },
    },
  },
});

const both = {
  '--mantine-color-error': 'var(--uz-bad)',
  '--mantine-color-placeholder': 'var(--uz-text-3)',
  '--mantine-color-dimmed': 'var(--uz-text-3)',
  '--mantine-color-text': 'var(--uz-text)',
  '--mantine-color-body': 'var(--uz-surface)',
  '--mantine-color-vasilek-light': 'var(--uz-accent-soft)',
  '--mantine-color-vasilek-light-hover': 'var(--uz-accent-soft-2)',
  '--mantine-color-vasilek-light-color': 'var(--uz-accent-text)',
  '--mantine-color-red-light': 'var(--uz-bad-soft)',
  '--mantine-color-red-light-hover': 'var(--uz-bad-soft)',
  '--mantine-color-red-light-color': 'var(--uz-bad)',
  '--mantine-color-gray-light-color': 'var(--uz-text-2)',
};

/** The provider's own <style> wins over a style sheet, so this is the only reliable place. */
export const cssVariablesResolver: CSSVariablesResolver = () => ({
  variables: {},
  light: both,
  dark: {
    ...both,
    '--mantine-color-vasilek-filled': 'var(--uz-accent)',
    '--mantine-color-vasilek-filled-hover': 'var(--uz-accent-hover)',
  },
});
