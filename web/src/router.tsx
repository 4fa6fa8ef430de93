import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { messagesSearch } from './features/inbox/search';
import { Broken, NotFound } from './routes/fallbacks';
import { database, ensureSession } from './state/session';

/** Every page. Addresses hold all that is needed to open the same place elsewhere. */

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound, errorComponent: Broken });

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: async () => {
    const session = await ensureSession();
    const first = session?.companies[0];
    if (!first) throw redirect({ to: '/sign-in' });
    throw redirect({ to: '/c/$company/messages', params: { company: String(first.company.id) } });
  },
});

const setup = createRoute({
  getParentRoute: () => root,
  path: '/setup/$token',
  component: lazyRouteComponent(() => import('./routes/setup'), 'SetupPage'),
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: (search: Record<string, unknown>): { next?: string } => {
    // Only a place of our own: an address from outside must not lead elsewhere after signing in.
    const next = search.next;
    return typeof next === 'string' && /^\/[^/\\]/.test(next) ? { next } : {};
  },
  component: lazyRouteComponent(() => import('./routes/sign-in'), 'SignInPage'),
});

const signInLink = createRoute({
  getParentRoute: () => root,
  path: '/sign-in/link/$token',
  component: lazyRouteComponent(() => import('./routes/sign-in-link'), 'SignInLinkPage'),
});

const company = createRoute({
  getParentRoute: () => root,
  path: '/c/$company',
  // What was searched for when the page was left; Back shows the results again.
  validateSearch: (search: Record<string, unknown>): { find?: string } =>
    typeof search.find === 'string' && search.find !== '' ? { find: search.find.slice(0, 200) } : {},
  beforeLoad: async ({ location, params }) => {
    // Opened while we wait: the workspace needs it next.
    void database();
    const session = await ensureSession();
    if (!session) throw redirect({ to: '/sign-in', search: { next: location.href } });
    const known = session.companies.some(({ company }) => String(company.id) === params.company);
    if (!known) throw redirect({ to: '/' });
  },
  component: lazyRouteComponent(() => import('./routes/company'), 'CompanyPage'),
});

const companyHome = createRoute({
  getParentRoute: () => company,
  path: '/',
  beforeLoad: ({ params }) => {
    throw redirect({ to: '/c/$company/messages', params });
  },
});

const messages = createRoute({
  getParentRoute: () => company,
  path: 'messages',
  validateSearch: messagesSearch,
  component: lazyRouteComponent(() => import('./routes/messages'), 'MessagesPage'),
});

const noConversation = createRoute({
  getParentRoute: () => messages,
  path: '/',
  component: lazyRouteComponent(() => import('./routes/messages'), 'NoConversation'),
});

const conversation = createRoute({
  getParentRoute: () => messages,
  path: '$conversation',
  component: lazyRouteComponent(() => import('./routes/conversation'), 'ConversationPane'),
});

const quickReplies = createRoute({
  getParentRoute: () => company,
  path: 'quick-replies',
  component: lazyRouteComponent(() => import('./routes/quick-replies'), 'QuickRepliesPage'),
});

const settings = createRoute({
  getParentRoute: () => company,
  path: 'settings',
  beforeLoad: ({ params, location }) => {
    if (location.pathname.endsWith('/settings'))
      throw redirect({ to: '/c/$company/settings/channels', params });
  },
  component: lazyRouteComponent(() => import('./routes/settings'), 'SettingsFrame'),
});

const delivery = createRoute({
  getParentRoute: () => settings,
  path: 'delivery',
  component: lazyRouteComponent(() => import('./routes/delivery'), 'DeliveryPage'),
});

const companySettings = createRoute({
  getParentRoute: () => settings,
  path: 'company',
  component: lazyRouteComponent(() => import('./routes/company-settings'), 'CompanySettingsPage'),
});

const account = createRoute({
  getParentRoute: () => settings,
  path: 'account',
  component: lazyRouteComponent(() => import('./routes/account'), 'AccountPage'),
});

const channels = createRoute({
  getParentRoute: () => settings,
  path: 'channels',
  component: lazyRouteComponent(() => import('./routes/channels'), 'ChannelsPage'),
});

const routeTree = root.addChildren([
  home,
  setup,
  signIn,
  signInLink,
  company.addChildren([
    companyHome,
    messages.addChildren([noConversation, conversation]),
    quickReplies,
    settings.addChildren([channels, delivery, companySettings, account]),
  ]),
]);

export const router = createRouter({
  routeTree,
  defaultPreload: 'intent',
  defaultErrorComponent: Broken,
  defaultPendingMs: 200,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
