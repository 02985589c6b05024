// The script of every page. Each module listens on the document, so that swapped-in markup needs no wiring.
import htmx from "htmx.org";
import { startBell } from "./bell.js";
import { startCopy } from "./copy.js";
import { startCommandBars } from "./commandbar.js";
import { startDialogs } from "./dialogs.js";
import { startForms } from "./forms.js";
import { startLive } from "./live.js";
import { startMenus } from "./menus.js";
import { startNavigation } from "./navigation.js";
import { startPolling } from "./polling.js";
import { startReveal } from "./reveal.js";
import { startShortcuts } from "./shortcuts.js";
import { startTheme } from "./theme.js";
import { startTimes } from "./times.js";
import { startToasts } from "./toasts.js";

startNavigation(htmx);
// Before the polls: it decides what the first of them asks for.
startBell();
startPolling(htmx);
startLive(htmx);
startDialogs(htmx);
startForms();
startToasts();
startCopy();
startReveal();
startMenus();
startCommandBars();
startShortcuts();
startTheme();
startTimes();
