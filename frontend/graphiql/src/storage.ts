/** Where GraphiQL keeps its things in this browser: apart for each portal, the tabs also for each role. */
import { page, type Role } from './portal';
import type { Sample } from './samples';

const PORTAL = `kontor/${page.portal.slug}/`;
const TABS = 'graphiql:tabState';
/** The open tab's contents, which GraphiQL keeps beside its tabs. */
const OPEN_TAB = /^graphiql:(query|variables|headers)$/;

export function storageFor(role: Role, samples: Sample[]) {
  const place = (key: string) => PORTAL + (key === TABS ? `${role}/` : '') + key;
  const ours = () => Object.keys(localStorage).filter((key) => key.startsWith(PORTAL));

  /** Read from the tabs alone: the second copy is written at another moment, and after a reload
      in between GraphiQL would take it for a new tab. Without tabs it is the first sample. */
  function openTab(name: string): string | null {
    const { tabs = samples, activeTabIndex = 0 } = JSON.parse(localStorage.getItem(place(TABS)) ?? '{}');
    return tabs[activeTabIndex]?.[name] ?? null;
  }

  return {
    getItem(key: string) {
      const open = OPEN_TAB.exec(key);
      return open ? openTab(open[1]!) : localStorage.getItem(place(key));
    },
    setItem(key: string, value: string) {
      if (!OPEN_TAB.test(key)) localStorage.setItem(place(key), value);
    },
    removeItem: (key: string) => localStorage.removeItem(place(key)),
    clear: () => ours().forEach((key) => localStorage.removeItem(key)),
    get length() {
      return ours().length;
    },
  };
}
